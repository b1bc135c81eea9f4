job "weather" {
  datacenters = ["dc1"]
  group "weather" {
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
      name = "weather"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.weather.rule=Host(`weather.example`)",
      ]
      check {
        name      = "ready"
        type      = "http"
        path      = "/readyz"
        interval  = "2s"
        timeout   = "1s"
        on_update = "ignore"
      }
    }
    task "weather" {
      driver = "docker"
      config {
        image = "weather:2"
        ports = ["http"]
      }
    }
  }
}
