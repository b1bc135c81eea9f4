job "billing" {
  datacenters = ["dc1"]
  meta {
    draingate_drain = "5s"
  }
  group "billing" {
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
      name = "billing"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.billing.rule=Host(`billing.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "billing" {
      driver = "java"
      config {
        jar_path = "local/billing.jar"
      }
    }
  }
}
