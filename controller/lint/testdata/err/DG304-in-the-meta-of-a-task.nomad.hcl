job "export" {
  datacenters = ["dc1"]
  group "export" {
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
      name = "export"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.export.rule=Host(`export.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "export" {
      driver = "docker"
      meta {
        draingate_max_request = "10s"
      }
      config {
        image = "export:2"
        ports = ["http"]
      }
    }
  }
}
