variable "image" {
  type = string
}

job "docs" {
  datacenters = ["dc1"]
  group "docs" {
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
      name = "docs"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.docs.rule=Host(`docs.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "docs" {
      driver = "docker"
      config {
        image = var.image
        ports = ["http"]
      }
    }
  }
}
