job "accounts" {
  datacenters = ["dc1"]
  group "accounts" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary = 2
    }
    network {
      mode = "bridge"
      port "http" {
        to = 8080
      }
    }
    service {
      name = "accounts"
      port = "8080"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.accounts.rule=Host(`accounts.example`)",
      ]
      connect {
        sidecar_service {}
      }
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "accounts" {
      driver = "docker"
      config {
        image = "accounts:20"
      }
    }
  }
}
