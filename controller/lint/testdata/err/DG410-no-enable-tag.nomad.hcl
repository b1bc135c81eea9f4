job "atlas" {
  datacenters = ["dc1"]
  group "atlas" {
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
      name = "atlas"
      port = "http"
      tags = [
        "traefik.http.routers.atlas.rule=Host(`atlas.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "atlas" {
      driver = "docker"
      config {
        image = "atlas:2"
        ports = ["http"]
      }
    }
  }
}
