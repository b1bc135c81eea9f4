job "tickets" {
  datacenters = ["dc1"]
  group "web" {
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
    meta {
      draingate_mode  = "enforce"
      draingate_fence = "never"
    }
    service {
      name = "tickets"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.tickets.rule=Host(`tickets.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "web" {
      driver = "docker"
      config {
        image = "tickets:2"
        ports = ["http"]
      }
    }
  }
}
