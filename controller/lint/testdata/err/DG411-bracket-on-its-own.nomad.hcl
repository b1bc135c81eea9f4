job "crash" {
  datacenters = ["dc1"]
  group "crash" {
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
      name = "crash"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.crash.rule=Host(`crash.example`)",
        "traefik.http.routers.crash.entrypoints]0]=web",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "crash" {
      driver = "docker"
      config {
        image = "crash:2"
        ports = ["http"]
      }
    }
  }
}
