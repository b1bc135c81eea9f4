job "draft" {
  datacenters = ["dc1"]
  group "draft" {
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
      name = "draft"
      port = "http"
      tags = [
        "traefik.enable=true",
      ]
      canary_tags = [
        "traefik.enable=true",
        "traefik.consulcatalog.canary=true",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "draft" {
      driver = "docker"
      config {
        image = "draft:2"
        ports = ["http"]
      }
    }
  }
}
