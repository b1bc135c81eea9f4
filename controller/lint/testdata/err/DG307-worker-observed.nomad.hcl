job "portal" {
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
      draingate_mode = "enforce"
    }
    service {
      name = "portal"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.portal.rule=Host(`portal.example`)",
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
        image = "portal:2"
        ports = ["http"]
      }
    }
  }
  group "worker" {
    count = 1
    meta {
      draingate_mode = "observe"
    }
    task "worker" {
      driver = "docker"
      config {
        image = "portal-worker:2"
      }
    }
  }
}
