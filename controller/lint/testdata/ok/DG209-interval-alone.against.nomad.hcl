job "inventory" {
  datacenters = ["dc1"]
  group "inventory" {
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
      name = "inventory"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.inventory.rule=Host(`inventory.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "inventory" {
      driver = "docker"
      config {
        image = "inventory:9"
        ports = ["http"]
      }
    }
  }
}
