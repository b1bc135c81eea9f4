job "render" {
  datacenters = ["dc1"]
  group "render" {
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
      draingate_drain = "10s"
    }
    service {
      name = "render"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.render.rule=Host(`render.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "render" {
      driver       = "docker"
      kill_timeout = "10s"
      config {
        image = "render:3"
        ports = ["http"]
      }
    }
  }
}
