job "proxy" {
  datacenters = ["dc1"]
  type        = "system"
  update {
    max_parallel = 0
  }
  group "proxy" {
    shutdown_delay = "20s"
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "proxy"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.proxy.rule=Host(`proxy.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "proxy" {
      driver = "docker"
      config {
        image = "proxy:2"
        ports = ["http"]
      }
    }
  }
}
