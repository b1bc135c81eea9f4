job "meshed" {
  datacenters = ["dc1"]
  meta {
    draingate_mode = "enforce"
  }
  group "meshed" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary = 2
    }
    network {
      mode = "bridge"
      port "http" {
        to = 8080
      }
    }
    service {
      name = "meshed"
      port = "8080"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.meshed.rule=Host(`meshed.example`)",
      ]
      connect {
        sidecar_service {}
      }
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "meshed" {
      driver = "docker"
      config {
        image = "meshed:2"
      }
    }
  }
}
