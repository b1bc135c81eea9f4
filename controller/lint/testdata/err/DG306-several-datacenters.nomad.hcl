job "global" {
  datacenters = ["eu-west", "eu-north"]
  meta {
    draingate_mode = "enforce"
  }
  group "global" {
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
      name = "global"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.global.rule=Host(`global.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "global" {
      driver = "docker"
      config {
        image = "global:2"
        ports = ["http"]
      }
    }
  }
}
