job "hooks" {
  datacenters = ["dc1"]
  group "hooks" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary           = 2
      health_check     = "checks"
      min_healthy_time = "10s"
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "hooks"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.hooks.rule=Host(`hooks.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "hooks" {
      driver = "docker"
      config {
        image = "hooks:2"
        ports = ["http"]
      }
    }
  }
}
