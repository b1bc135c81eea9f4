job "city" {
  datacenters = ["dc1"]
  group "city" {
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
      name = "city"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.city.rule=Host(`city.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "city" {
      driver = "docker"
      config {
        image = "city:1"
        ports = ["http"]
      }
    }
  }
}
