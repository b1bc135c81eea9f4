job "faq" {
  datacenters = ["dc1"]
  meta {
    draingate_mode = "enforce"
  }
  group "faq" {
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
      name = "faq"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.faq.rule=Host(`faq.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "faq" {
      driver = "docker"
      config {
        image = "faq:2"
        ports = ["http"]
      }
    }
  }
}
