job "basket" {
  datacenters = ["dc1"]
  group "basket" {
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
      name = "basket"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.basket.rule=Host(`basket.example`)",
        "traefik.http.routers.basket.middlewares=again",
        "traefik.http.middlewares.again.retry.attempts=4",
        "traefik.http.services.basket.loadbalancer.sticky.cookie.name=basket",
        "traefik.http.services.basket.loadbalancer.passivehealthcheck.maxfailedattempts=2",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "basket" {
      driver = "docker"
      config {
        image = "basket:2"
        ports = ["http"]
      }
    }
  }
}
