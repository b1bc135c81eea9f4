job "ports" {
  datacenters = ["dc1"]
  group "ports" {
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
      name = "ports"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.ports.rule=Host(`ports.example`)",
        "traefik.http.services.ports.loadbalancer.healthcheck.path=/readyz",
        "traefik.http.services.ports.loadbalancer.healthcheck.port=http",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "ports" {
      driver = "docker"
      config {
        image = "ports:2"
        ports = ["http"]
      }
    }
  }
}
