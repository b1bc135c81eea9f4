job "beat" {
  datacenters = ["dc1"]
  group "beat" {
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
      name = "beat"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.beat.rule=Host(`beat.example`)",
        "traefik.http.services.beat.loadbalancer.healthcheck.path=/readyz",
        "traefik.http.services.beat.loadbalancer.healthcheck.interval=5s",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "beat" {
      driver = "docker"
      config {
        image = "beat:2"
        ports = ["http"]
      }
    }
  }
}
