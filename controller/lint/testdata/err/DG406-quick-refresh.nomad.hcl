job "tick" {
  datacenters = ["dc1"]
  group "tick" {
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
      name = "tick"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.tick.rule=Host(`tick.example`)",
        "traefik.http.services.tick.loadbalancer.healthcheck.path=/readyz",
        "traefik.http.services.tick.loadbalancer.healthcheck.interval=5s",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "tick" {
      driver = "docker"
      config {
        image = "tick:2"
        ports = ["http"]
      }
    }
  }
}
