job "glitch" {
  datacenters = ["dc1"]
  group "glitch" {
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
      name = "glitch"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.glitch.rule=Host(`glitch.example`)",
        "traefik.http.routers.glitch.middlewares=cors",
        "traefik.http.middlewares.cors.headers.customrequestheaders.X-Env]=prod",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "glitch" {
      driver = "docker"
      config {
        image = "glitch:2"
        ports = ["http"]
      }
    }
  }
}
