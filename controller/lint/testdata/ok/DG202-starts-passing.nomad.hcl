job "status" {
  datacenters = ["dc1"]
  group "status" {
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
      name = "status"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.status.rule=Host(`status.example`)",
      ]
      check {
        name           = "ready"
        type           = "http"
        path           = "/readyz"
        interval       = "2s"
        timeout        = "1s"
        initial_status = "critical"
      }
    }
    task "status" {
      driver = "docker"
      config {
        image = "status:2"
        ports = ["http"]
      }
    }
  }
}
