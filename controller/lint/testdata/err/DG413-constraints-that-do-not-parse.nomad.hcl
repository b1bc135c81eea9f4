job "zone" {
  datacenters = ["dc1"]
  group "zone" {
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
      name = "zone"
      port = "http"
      tags = [
        "traefik.enable=true",
        "public",
        "traefik.http.routers.zone.rule=Host(`zone.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "zone" {
      driver = "docker"
      config {
        image = "zone:2"
        ports = ["http"]
      }
    }
  }
}
