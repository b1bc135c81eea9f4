job "mail" {
  datacenters = ["dc1"]
  group "mail" {
    count = 2
    # draingate:ignore DG101 its only client is a queue that tries again for an hour
    shutdown_delay = "5s"
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "mail"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.mail.rule=Host(`mail.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "mail" {
      driver = "docker"
      config {
        image = "mail:7"
        ports = ["http"]
      }
    }
  }
}
