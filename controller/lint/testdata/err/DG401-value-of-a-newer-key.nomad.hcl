job "match" {
  datacenters = ["dc1"]
  group "match" {
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
      name = "match"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.match.rule=Host(`match.example`)",
        "traefik.http.routers.match.middlewares=again",
        "traefik.http.middlewares.again.retry.attempts=3",
        "traefik.http.middlewares.again.retry.initialinterval=100ms",
        "traefik.http.middlewares.again.retry.status=502-504",
        "traefik.http.middlewares.again.retry.maxrequestbodybytes=2MiB",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "match" {
      driver = "docker"
      config {
        image = "match:2"
        ports = ["http"]
      }
    }
  }
}
