job "queue" {
  datacenters = ["dc1"]
  group "queue" {
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
      name = "queue"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.queue.rule=Host(`queue.example`)",
      ]
      check {
        name      = "ready"
        type      = "http"
        path      = "/readyz"
        interval  = "2s"
        timeout   = "1s"
        on_update = "ignore_warnings"
      }
    }
    task "queue" {
      driver = "docker"
      config {
        image = "queue:2"
        ports = ["http"]
      }
    }
  }
}
