job "batchapi" {
  datacenters = ["dc1"]
  meta {
    draingate_drain = "45s"
  }
  group "batchapi" {
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
      name = "batchapi"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.batchapi.rule=Host(`batch.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "batchapi" {
      driver       = "docker"
      kill_timeout = "45s"
      config {
        image = "batchapi:2"
        ports = ["http"]
      }
    }
  }
}
