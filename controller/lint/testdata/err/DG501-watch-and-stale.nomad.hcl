job "bulb" {
  datacenters = ["dc1"]
  group "bulb" {
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
      name = "bulb"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.bulb.rule=Host(`bulb.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "bulb" {
      driver = "docker"
      config {
        image = "bulb:2"
        ports = ["http"]
      }
    }
  }
}
