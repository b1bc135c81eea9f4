job "games" {
  datacenters = ["dc1"]
  group "games" {
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
      name = "games"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.games.rules=Host(`games.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "games" {
      driver = "docker"
      config {
        image = "games:2"
        ports = ["http"]
      }
    }
  }
}
