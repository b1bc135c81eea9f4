job "fetch" {
  datacenters = ["dc1"]
  group "fetch" {
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
      name = "fetch"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.fetch.rule=Host(`fetch.example`)",
        "traefik.http.routers.fetch.middlewares=again",
        "traefik.http.middlewares.again.retry.attempts=3",
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
    task "fetch" {
      driver = "docker"
      config {
        image = "fetch:2"
        ports = ["http"]
      }
    }
  }
}
