job "geo" {
  datacenters = ["dc1"]
  group "geo" {
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
      name = "geo"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.geo.rule=Host(`geo.example`)",
      ]
      provider = "nomad"
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "geo" {
      driver = "docker"
      config {
        image = "geo:15"
        ports = ["http"]
      }
    }
  }
}
