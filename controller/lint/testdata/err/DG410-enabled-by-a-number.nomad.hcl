job "globe" {
  datacenters = ["dc1"]
  group "globe" {
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
      name = "globe"
      port = "http"
      tags = [
        "traefik.enable=1",
        "traefik.http.routers.globe.rule=Host(`globe.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "globe" {
      driver = "docker"
      config {
        image = "globe:2"
        ports = ["http"]
      }
    }
  }
}
