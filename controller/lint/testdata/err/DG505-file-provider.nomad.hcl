job "sheet" {
  datacenters = ["dc1"]
  group "sheet" {
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
      name = "sheet"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.sheet.rule=Host(`sheet.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "sheet" {
      driver = "docker"
      config {
        image = "sheet:2"
        ports = ["http"]
      }
    }
  }
}
