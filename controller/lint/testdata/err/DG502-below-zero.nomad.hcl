job "watchface" {
  datacenters = ["dc1"]
  group "watchface" {
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
      name = "watchface"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.watchface.rule=Host(`watchface.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "watchface" {
      driver = "docker"
      config {
        image = "watchface:2"
        ports = ["http"]
      }
    }
  }
}
