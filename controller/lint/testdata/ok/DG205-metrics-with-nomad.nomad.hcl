job "auth" {
  datacenters = ["dc1"]
  group "auth" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
      port "metrics" {
        to = 9100
      }
    }
    service {
      name = "auth"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.auth.rule=Host(`auth.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    service {
      name     = "auth-metrics"
      port     = "metrics"
      provider = "consul"
    }
    task "auth" {
      driver = "docker"
      config {
        image = "auth:61"
        ports = ["http"]
      }
    }
  }
}
