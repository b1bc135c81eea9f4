job "torch" {
  datacenters = ["dc1"]
  group "torch" {
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
      name = "torch"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.torch.rule=Host(`torch.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "torch" {
      driver = "docker"
      config {
        image = "torch:2"
        ports = ["http"]
      }
    }
  }
}
