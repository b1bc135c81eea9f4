job "front" {
  datacenters = ["dc1"]
  group "front" {
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
      name = "front"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.front.rule=Host(`front.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "front" {
      driver = "docker"
      config {
        image = "front:2"
        ports = ["http"]
      }
    }
  }
}
