job "map3d" {
  datacenters = ["dc1"]
  meta {
    draingate_mode = "Enforce"
  }
  group "map3d" {
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
      name = "map3d"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.map3d.rule=Host(`map3d.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "map3d" {
      driver = "docker"
      config {
        image = "map3d:2"
        ports = ["http"]
      }
    }
  }
}
