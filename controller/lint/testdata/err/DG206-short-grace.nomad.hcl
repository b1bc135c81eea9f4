job "catalog" {
  datacenters = ["dc1"]
  group "catalog" {
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
      name = "catalog"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.catalog.rule=Host(`catalog.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
        check_restart {
          limit = 3
          grace = "2s"
        }
      }
    }
    task "catalog" {
      driver = "docker"
      config {
        image = "catalog:8"
        ports = ["http"]
      }
    }
  }
}
