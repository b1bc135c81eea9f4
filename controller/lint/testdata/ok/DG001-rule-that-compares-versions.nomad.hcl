job "radio" {
  datacenters = ["dc1"]
  group "radio" {
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
      name = "radio"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.radio.rule=Host(`radio.example`)",
      ]
      # draingate:ignore DG209 a check of our own notices before any listener does
      check {
        name     = "ready"
        type     = "http"
        path     = "/health"
        interval = "5s"
        timeout  = "2s"
      }
    }
    task "radio" {
      driver = "docker"
      config {
        image = "radio:11"
        ports = ["http"]
      }
    }
  }
}
