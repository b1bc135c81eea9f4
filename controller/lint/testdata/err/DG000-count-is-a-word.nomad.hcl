job "shop" {
  datacenters = ["dc1"]
  group "shop" {
    count          = "three"
    shutdown_delay = "20s"
    update {
      canary = 3
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "shop"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.shop.rule=Host(`shop.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "shop" {
      driver = "docker"
      config {
        image = "registry.example/shop:4.1"
        ports = ["http"]
      }
    }
  }
}
