job "checkout" {
  datacenters = ["dc1"]
  group "checkout" {
    count          = 2
    shutdown_delay = "19s"
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "checkout"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.checkout.rule=Host(`checkout.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "checkout" {
      driver = "docker"
      config {
        image = "registry.example/checkout:2.4.0"
        ports = ["http"]
      }
    }
  }
}
