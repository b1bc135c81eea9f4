job "pulse" {
  datacenters = ["dc1"]
  group "pulse" {
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
      name = "pulse"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.pulse.rule=Host(`pulse.example`)",
        "traefik.http.services.pulse.loadbalancer.healthcheck.path=/readyz",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "pulse" {
      driver = "docker"
      config {
        image = "pulse:2"
        ports = ["http"]
      }
    }
  }
}
