job "polls" {
  datacenters = ["dc1"]
  meta {
    draingate_ignore_DG208 = ""
  }
  group "polls" {
    count          = 4
    shutdown_delay = "20s"
    update {
      canary       = 1
      max_parallel = 1
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "polls"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.polls.rule=Host(`polls.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "polls" {
      driver = "docker"
      config {
        image = "polls:5"
        ports = ["http"]
      }
    }
  }
}
