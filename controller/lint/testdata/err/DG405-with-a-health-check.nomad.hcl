job "warm" {
  datacenters = ["dc1"]
  group "warm" {
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
      name = "warm"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.warm.rule=Host(`warm.example`)",
        "traefik.http.services.warm.loadbalancer.healthcheck.path=/readyz",
        "traefik.http.services.warm.loadbalancer.healthcheck.interval=2s",
        "traefik.http.services.warm.loadbalancer.server.weight=0",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "warm" {
      driver = "docker"
      config {
        image = "warm:2"
        ports = ["http"]
      }
    }
  }
}
