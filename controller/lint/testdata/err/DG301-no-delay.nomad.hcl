job "rates" {
  datacenters = ["dc1"]
  update {
    canary       = 1
    max_parallel = 1
    auto_promote = true
    auto_revert  = true
  }
  group "rates" {
    count = 1
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "rates"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.rates.rule=Host(`rates.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "rates" {
      driver = "docker"
      config {
        image = "rates:3"
        ports = ["http"]
      }
    }
  }
}
