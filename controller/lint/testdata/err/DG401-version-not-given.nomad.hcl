job "delta" {
  datacenters = ["dc1"]
  group "delta" {
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
      name = "delta"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.delta.rule=Host(`delta.example`)",
        "traefik.http.routers.delta.middlewares=again",
        "traefik.http.middlewares.again.retry.attempts=3",
        "traefik.http.middlewares.again.retry.timeout=30s",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "delta" {
      driver = "docker"
      config {
        image = "delta:2"
        ports = ["http"]
      }
    }
  }
}
