job "clock" {
  datacenters = ["dc1"]
  group "clock" {
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
      name = "clock"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.clock.rule=Host(`clock.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "clock" {
      driver = "docker"
      config {
        image = "clock:2"
        ports = ["http"]
      }
    }
  }
}
