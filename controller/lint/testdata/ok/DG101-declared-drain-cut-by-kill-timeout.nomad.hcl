job "uploads" {
  datacenters = ["dc1"]
  group "uploads" {
    count = 2
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    meta {
      draingate_drain = "6s"
    }
    service {
      name = "uploads"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.uploads.rule=Host(`uploads.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "uploads" {
      driver       = "exec"
      kill_signal  = "SIGTERM"
      kill_timeout = "10s"
      config {
        command = "local/uploads"
      }
    }
  }
}
