job "storefront" {
  datacenters = ["dc1"]
  group "storefront" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "storefront"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.storefront.rule=Host(`www.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "storefront" {
      driver = "docker"
      template {
        destination = "local/upstreams.conf"
        change_mode = "restart"

        data = <<-EOT
          {{ range service "inventory" }}
          server {{ .Address }}:{{ .Port }};
          {{ end }}
        EOT
      }
      config {
        image = "nginx:1.29"
        ports = ["http"]
      }
    }
  }
}
