job "legacy" {
  datacenters = ["dc1"]
  meta {
    draingate_mode = "enforce"
  }
  group "legacy" {
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
      name = "legacy"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.legacy.rule=Host(`legacy.example`)",
      ]
      provider = "nomad"
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "legacy" {
      driver = "docker"
      config {
        image = "legacy:2"
        ports = ["http"]
      }
    }
  }
}
