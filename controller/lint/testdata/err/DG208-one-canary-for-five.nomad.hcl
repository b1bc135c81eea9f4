job "graph" {
  datacenters = ["dc1"]
  group "graph" {
    count          = 5
    shutdown_delay = "20s"
    update {
      canary       = 1
      max_parallel = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "graph"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.graph.rule=Host(`graph.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "graph" {
      driver = "docker"
      config {
        image = "graph:2"
        ports = ["http"]
      }
    }
  }
}
