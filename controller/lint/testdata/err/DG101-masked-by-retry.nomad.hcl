job "quotes" {
  datacenters = ["dc1"]
  group "quotes" {
    count          = 2
    shutdown_delay = "6s"
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "quotes"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.quotes.rule=Host(`quotes.example`)",
        "traefik.http.routers.quotes.middlewares=again",
        "traefik.http.middlewares.again.retry.attempts=4",
        "traefik.http.middlewares.again.retry.initialinterval=100ms",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "quotes" {
      driver = "docker"
      config {
        image = "quotes:6"
        ports = ["http"]
      }
    }
  }
}
