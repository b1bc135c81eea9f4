job "zoom" {
  datacenters = ["dc1"]
  group "zoom" {
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
      name = "zoom"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.zoom.rule=Host(`zoom.example`)",
        "traefik.http.services.zoom.loadbalancer.healthcheck.path=/readyz",
        "traefik.http.services.zoom.loadbalancer.healthcheck.interval=2s",
        "traefik.http.services.zoom.loadbalancer.healthcheck.port=9090",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "zoom" {
      driver = "docker"
      config {
        image = "zoom:2"
        ports = ["http"]
      }
    }
  }
}
