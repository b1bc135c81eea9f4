job "shopping" {
  datacenters = ["dc1"]
  group "shopping" {
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
      name = "shopping"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.shopping.rule=Host(`shopping.example`)",
      ]
      canary_tags = [
        "traefik.enable=false",
        "traefik.http.routers.shopping.rule=Host(`shopping.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "shopping" {
      driver = "docker"
      config {
        image = "shopping:2"
        ports = ["http"]
      }
    }
  }
}
