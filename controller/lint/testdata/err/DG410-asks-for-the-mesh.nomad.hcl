job "veil" {
  datacenters = ["dc1"]
  group "veil" {
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
      name = "veil"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.veil.rule=Host(`veil.example`)",
        "traefik.consulcatalog.connect=true",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "veil" {
      driver = "docker"
      config {
        image = "veil:2"
        ports = ["http"]
      }
    }
  }
}
