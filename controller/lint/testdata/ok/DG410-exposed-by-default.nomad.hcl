job "compass" {
  datacenters = ["dc1"]
  group "compass" {
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
      name = "compass"
      port = "http"
      tags = [
        "traefik.http.routers.compass.rule=Host(`compass.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "compass" {
      driver = "docker"
      config {
        image = "compass:2"
        ports = ["http"]
      }
    }
  }
}
