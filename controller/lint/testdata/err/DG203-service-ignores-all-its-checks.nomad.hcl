job "alerts" {
  datacenters = ["dc1"]
  group "alerts" {
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
      name = "alerts"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.alerts.rule=Host(`alerts.example`)",
      ]
      on_update = "ignore"
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
      check {
        name     = "alive"
        type     = "http"
        path     = "/livez"
        interval = "10s"
        timeout  = "2s"
      }
    }
    task "alerts" {
      driver = "docker"
      config {
        image = "alerts:5"
        ports = ["http"]
      }
    }
  }
}
