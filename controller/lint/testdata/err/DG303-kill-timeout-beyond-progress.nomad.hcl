job "sessions" {
  datacenters = ["dc1"]
  group "sessions" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary            = 2
      healthy_deadline  = "1m"
      progress_deadline = "2m"
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "sessions"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.sessions.rule=Host(`sessions.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "sessions" {
      driver       = "docker"
      kill_timeout = "3m"
      config {
        image = "sessions:2"
        ports = ["http"]
      }
    }
  }
}
