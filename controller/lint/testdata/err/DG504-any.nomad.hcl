job "fuse" {
  datacenters = ["dc1"]
  group "fuse" {
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
      name = "fuse"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.fuse.rule=Host(`fuse.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "fuse" {
      driver = "docker"
      config {
        image = "fuse:2"
        ports = ["http"]
      }
    }
  }
}
