job "resizer" {
  datacenters = ["dc1"]
  group "resizer" {
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
    meta {
      draingate_drain = "4s"
    }
    service {
      name = "resizer"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.resizer.rule=Host(`images.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "resizer" {
      driver = "raw_exec"
      config {
        command = "local/resizer"
      }
    }
  }
}
