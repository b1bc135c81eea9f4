job "notes" {
  datacenters = ["dc1"]
  group "notes" {
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
      name = "notes"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.notes.rule=Host(`notes.example`)",
      ]
      canary_tags = [
        "canary",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "notes" {
      driver = "docker"
      config {
        image = "notes:2"
        ports = ["http"]
      }
    }
  }
}
