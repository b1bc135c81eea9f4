job "cachefront" {
  datacenters = ["dc1"]
  group "cachefront" {
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
      name = "cachefront"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.cachefront.rule=PathPrefix(`/cache`)",
      ]
      check {
        name     = "open"
        type     = "tcp"
        interval = "5s"
        timeout  = "1s"
      }
    }
    task "cachefront" {
      driver = "docker"
      config {
        image = "cachefront:2"
        ports = ["http"]
      }
    }
  }
}
