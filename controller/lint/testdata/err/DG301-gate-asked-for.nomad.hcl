job "login" {
  datacenters = ["dc1"]
  meta {
    draingate_mode = "enforce"
  }
  group "login" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary       = 2
      auto_promote = true
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "login"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.login.rule=Host(`login.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "login" {
      driver = "docker"
      config {
        image = "login:30"
        ports = ["http"]
      }
    }
  }
}
