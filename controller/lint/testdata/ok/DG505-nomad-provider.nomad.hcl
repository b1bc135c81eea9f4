job "plain" {
  datacenters = ["dc1"]
  group "plain" {
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
      name = "plain"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.plain.rule=Host(`plain.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "plain" {
      driver = "docker"
      config {
        image = "plain:2"
        ports = ["http"]
      }
    }
  }
}
