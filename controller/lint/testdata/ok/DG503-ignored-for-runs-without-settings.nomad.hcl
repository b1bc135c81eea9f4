# draingate:ignore DG503 those of production are given where it counts
job "known" {
  datacenters = ["dc1"]
  group "known" {
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
      name = "known"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.known.rule=Host(`known.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "known" {
      driver = "docker"
      config {
        image = "known:2"
        ports = ["http"]
      }
    }
  }
}
