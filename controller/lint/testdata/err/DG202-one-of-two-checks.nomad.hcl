job "photos" {
  datacenters = ["dc1"]
  group "photos" {
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
      name = "photos"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.photos.rule=Host(`photos.example`)",
      ]
      check {
        name           = "ready"
        type           = "http"
        path           = "/readyz"
        interval       = "2s"
        timeout        = "1s"
        initial_status = "passing"
      }
      check {
        name     = "port"
        type     = "tcp"
        interval = "5s"
        timeout  = "1s"
      }
    }
    task "photos" {
      driver = "docker"
      config {
        image = "photos:2"
        ports = ["http"]
      }
    }
  }
}
