job "gallery" {
  datacenters = ["dc1"]
  group "gallery" {
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
    volume "media" {
      type      = "host"
      source    = "media"
      read_only = false
    }
    service {
      name = "gallery"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.gallery.rule=Host(`gallery.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "gallery" {
      driver = "docker"
      config {
        image = "gallery:2"
        ports = ["http"]
      }
    }
  }
}
