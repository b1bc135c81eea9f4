job "thumbs" {
  datacenters = ["dc1"]
  group "thumbs" {
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
    meta {
      draingate_drain       = "6"
      draingate_max_request = "-2s"
    }
    service {
      name = "thumbs"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.thumbs.rule=Host(`thumbs.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "thumbs" {
      driver = "docker"
      config {
        image = "thumbs:2"
        ports = ["http"]
      }
    }
  }
}
