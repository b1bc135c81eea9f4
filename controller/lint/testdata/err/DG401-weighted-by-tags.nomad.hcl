job "split" {
  datacenters = ["dc1"]
  group "split" {
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
      name = "split"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.split.rule=Host(`split.example`)",
        "traefik.http.services.split.weighted.services[0].name=blue",
        "traefik.http.services.split.weighted.services[0].weight=9",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "split" {
      driver = "docker"
      config {
        image = "split:2"
        ports = ["http"]
      }
    }
  }
}
