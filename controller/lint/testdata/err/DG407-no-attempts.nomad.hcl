job "pull" {
  datacenters = ["dc1"]
  group "pull" {
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
      name = "pull"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.pull.rule=Host(`pull.example`)",
        "traefik.http.routers.pull.middlewares=front",
        "traefik.http.middlewares.front.chain.middlewares=again",
        "traefik.http.middlewares.again.retry.initialinterval=250ms",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "pull" {
      driver = "docker"
      config {
        image = "pull:2"
        ports = ["http"]
      }
    }
  }
}
