job "encode" {
  datacenters = ["dc1"]
  group "encode" {
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
    meta {
      draingate_drain = "10s"
    }
    service {
      name = "encode"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.encode.rule=Host(`encode.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "encode" {
      driver       = "docker"
      kill_timeout = "10s"
      config {
        image = "encode:3"
        ports = ["http"]
      }
    }
  }
}
