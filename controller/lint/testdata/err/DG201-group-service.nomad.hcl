job "events" {
  datacenters = ["dc1"]
  group "events" {
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
      name = "events"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.events.rule=Host(`events.example`)",
      ]
    }
    task "events" {
      driver = "docker"
      config {
        image = "events:3"
        ports = ["http"]
      }
    }
  }
}
