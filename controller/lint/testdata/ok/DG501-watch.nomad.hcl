job "lamp" {
  datacenters = ["dc1"]
  group "lamp" {
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
      name = "lamp"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.lamp.rule=Host(`lamp.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "lamp" {
      driver = "docker"
      config {
        image = "lamp:2"
        ports = ["http"]
      }
    }
  }
}
