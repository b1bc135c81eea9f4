job "trips" {
  datacenters = ["dc1"]
  group "trips" {
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
      name = "trips"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.trips.rule=Host(`trips.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "500ms"
      }
    }
    task "trips" {
      driver = "docker"
      config {
        image = "trips:1"
        ports = ["http"]
      }
    }
  }
}
