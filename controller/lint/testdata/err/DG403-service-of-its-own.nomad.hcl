job "ideas" {
  datacenters = ["dc1"]
  group "ideas" {
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
      name = "ideas"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.ideas.rule=Host(`ideas.example`)",
        "traefik.http.services.ideas.loadbalancer.passhostheader=true",
      ]
      canary_tags = [
        "traefik.enable=true",
        "traefik.http.routers.ideas-next.rule=Host(`next.ideas.example`)",
        "traefik.http.routers.ideas-next.service=ideas-next",
        "traefik.http.services.ideas-next.loadbalancer.passhostheader=true",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "ideas" {
      driver = "docker"
      config {
        image = "ideas:2"
        ports = ["http"]
      }
    }
  }
}
