job "votes" {
  datacenters = ["dc1"]
  group "votes" {
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
      name = "votes"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.votes.rule=Host(`votes.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "votes" {
      driver = "docker"
      service {
        name     = "votes-debug"
        port     = "http"
        provider = "nomad"
      }
      config {
        image = "votes:3"
        ports = ["http"]
      }
    }
  }
}
