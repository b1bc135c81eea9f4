job "recommend" {
  datacenters = ["dc1"]
  group "recommend" {
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
      name = "recommend"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.recommend.rule=Host(`rec.example`)",
      ]
      check_restart {
        limit = 2
        grace = "1s"
      }
      check {
        name     = "ready"
        type     = "http"
        path     = "/ready"
        interval = "10s"
        timeout  = "2s"
      }
    }
    task "recommend" {
      driver = "docker"
      config {
        image = "recommend:19"
        ports = ["http"]
      }
    }
  }
}
