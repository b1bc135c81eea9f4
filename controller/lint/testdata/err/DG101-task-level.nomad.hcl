job "search" {
  datacenters = ["dc1"]
  group "search" {
    count = 2
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    task "search" {
      driver         = "docker"
      shutdown_delay = "2s"
      service {
        name = "search"
        port = "http"
        tags = [
          "traefik.enable=true",
          "traefik.http.routers.search.rule=Host(`search.example`)",
        ]
        check {
          name     = "ready"
          type     = "http"
          path     = "/readyz"
          interval = "2s"
          timeout  = "1s"
        }
      }
      config {
        image = "search:5"
        ports = ["http"]
      }
    }
  }
}
