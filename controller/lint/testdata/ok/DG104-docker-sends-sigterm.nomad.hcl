job "pricing" {
  datacenters = ["dc1"]
  group "pricing" {
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
      draingate_drain = "4s"
    }
    service {
      name = "pricing"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.pricing.rule=Host(`pricing.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "pricing" {
      driver = "docker"
      config {
        image = "pricing:2"
        ports = ["http"]
      }
    }
  }
}
