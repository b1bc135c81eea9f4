job "tags" {
  datacenters = ["dc1"]
  meta {
    drain_owner = "platform"
    gate_code   = "7"
  }
  group "tags" {
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
      name = "tags"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.tags.rule=Host(`tags.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "tags" {
      driver = "docker"
      config {
        image = "tags:2"
        ports = ["http"]
      }
    }
  }
}
