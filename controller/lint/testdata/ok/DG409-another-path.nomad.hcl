job "lens" {
  datacenters = ["dc1"]
  group "lens" {
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
      name = "lens"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.lens.rule=Host(`lens.example`)",
        "traefik.http.services.lens.loadbalancer.healthcheck.path=/readyz",
        "traefik.http.services.lens.loadbalancer.healthcheck.interval=2s",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "lens" {
      driver = "docker"
      config {
        image = "lens:2"
        ports = ["http"]
      }
    }
  }
}
