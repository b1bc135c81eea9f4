job "stats" {
  datacenters = ["dc1"]
  group "stats" {
    count          = 3
    shutdown_delay = "20s"
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "stats"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.stats.rule=Host(`stats.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "stats" {
      driver = "docker"
      config {
        image = "stats:3"
        ports = ["http"]
      }
    }
  }
}
