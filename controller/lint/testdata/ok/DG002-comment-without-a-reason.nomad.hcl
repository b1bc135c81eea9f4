job "news" {
  datacenters = ["dc1"]
  # draingate:ignore DG101 the front page is cached for a minute
  group "news" {
    count = 2
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "news"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.news.rule=Host(`news.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "news" {
      driver = "docker"
      config {
        image = "news:88"
        ports = ["http"]
      }
    }
  }
}
