job "guess" {
  datacenters = ["dc1"]
  group "guess" {
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
      name = "guess"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.guess.rule=Host(`guess.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "guess" {
      driver = "docker"
      config {
        image = "guess:2"
        ports = ["http"]
      }
    }
  }
}
