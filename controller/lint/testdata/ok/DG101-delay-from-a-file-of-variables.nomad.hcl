variable "delay" {
  type    = string
  default = "10s"
}

job "feeds" {
  datacenters = ["dc1"]
  group "feeds" {
    count          = 2
    shutdown_delay = var.delay
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "feeds"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.feeds.rule=Host(`feeds.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "feeds" {
      driver = "docker"
      config {
        image = "feeds:8"
        ports = ["http"]
      }
    }
  }
}
