job "trial" {
  datacenters = ["dc1"]
  group "trial" {
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
      name = "trial"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.trial.rule=Host(`trial.example`)",
      ]
      canary_tags = [
        "traefik.enable=true",
        "traefik.http.routers.trial.rule=Host(`trial.example`) && Header(`X-Canary`, `1`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "trial" {
      driver = "docker"
      config {
        image = "trial:2"
        ports = ["http"]
      }
    }
  }
}
