job "gateway" {
  datacenters = ["dc1"]
  group "gateway" {
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
      name = "gateway"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.gateway.rule=Host(`api.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "gateway" {
      driver = "docker"
      template {
        source      = "local/gateway.tpl"
        destination = "local/gateway.yml"
      }
      config {
        image = "gateway:3"
        ports = ["http"]
      }
    }
  }
}
