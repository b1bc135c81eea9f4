job "ledger" {
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
      draingate_fence = "auto"
    }
    service {
      name = "ledger"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.ledger.rule=Host(`ledger.example`)",
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
        image = "ledger:2"
        ports = ["http"]
      }
    }
  }
}
