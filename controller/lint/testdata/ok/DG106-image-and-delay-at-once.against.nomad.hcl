job "cart" {
  datacenters = ["dc1"]
  group "cart" {
    count          = 2
    shutdown_delay = "6s"
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "cart"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.cart.rule=Host(`cart.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "cart" {
      driver = "docker"
      config {
        image = "cart:6"
        ports = ["http"]
      }
    }
  }
}
