job "radio" {
  datacenters = ["dc1"]
  group "web" {
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
      draingate_mode  = "enforce"
      draingate_fence = "always"
    }
    service {
      name = "radio"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.radio.rule=Host(`radio.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "web" {
      driver = "docker"
      config {
        image = "radio:2"
        ports = ["http"]
      }
    }
  }
}
