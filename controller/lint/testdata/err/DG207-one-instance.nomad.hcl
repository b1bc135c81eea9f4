job "blog" {
  datacenters = ["dc1"]
  group "blog" {
    count          = 1
    shutdown_delay = "20s"
    update {
      canary       = 0
      max_parallel = 1
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "blog"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.blog.rule=Host(`blog.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "blog" {
      driver = "docker"
      config {
        image = "blog:5"
        ports = ["http"]
      }
    }
  }
}
