job "solo" {
  datacenters = ["dc1"]
  group "solo" {
    count          = 1
    shutdown_delay = "20s"
    update {
      canary = 1
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "solo"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.solo.rule=Host(`solo.example`)",
        "traefik.http.services.solo.loadbalancer.passivehealthcheck.failurewindow=10s",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "solo" {
      driver = "docker"
      config {
        image = "solo:2"
        ports = ["http"]
      }
    }
  }
}
