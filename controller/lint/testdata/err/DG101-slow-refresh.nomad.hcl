job "orders" {
  datacenters = ["dc1"]
  group "orders" {
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
      name = "orders"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.orders.rule=Host(`orders.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "orders" {
      driver = "docker"
      config {
        image = "orders:31"
        ports = ["http"]
      }
    }
  }
}
