job "likes" {
  datacenters = ["dc1"]
  group "likes" {
    count = 2
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    task "likes" {
      driver         = "docker"
      shutdown_delay = "20s"
      service {
        name = "likes"
        port = "http"
        tags = [
          "traefik.enable=true",
          "traefik.http.routers.likes.rule=Host(`likes.example`)",
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
        image = "likes:2"
        ports = ["http"]
      }
    }
  }
}
