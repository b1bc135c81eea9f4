job "stock" {
  datacenters = ["dc1"]
  group "stock" {
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
      name = "stock"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.stock.rule=Host(`stock.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "stock" {
      driver = "docker"
      config {
        image = "stock:9"
        ports = ["http"]
      }
    }
  }
}
