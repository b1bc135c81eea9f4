job "ledger" {
  group "ledger" {
    count          = 1
    shutdown_delay = "25s"
    meta {
      draingate_park = "30s"
    }
    network {
      port "http" {}
    }
    task "ledger" {
      driver         = "docker"
      shutdown_delay = "20s"
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
      config {
        image = "ledger:1"
      }
    }
  }
}
