job "nodeapi" {
  datacenters = ["dc1"]
  type        = "system"
  meta {
    draingate_mode = "observe"
  }
  group "nodeapi" {
    shutdown_delay = "20s"
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "nodeapi"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.nodeapi.rule=Host(`nodeapi.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "nodeapi" {
      driver = "docker"
      config {
        image = "nodeapi:2"
        ports = ["http"]
      }
    }
  }
}
