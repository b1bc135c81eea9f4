job "stream" {
  datacenters = ["dc1"]
  group "stream" {
    count          = 3
    shutdown_delay = "4m"
    update {
      canary            = 1
      max_parallel      = 1
      min_healthy_time  = "10s"
      healthy_deadline  = "2m"
      progress_deadline = "4m"
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "stream"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.stream.rule=Host(`stream.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "stream" {
      driver = "docker"
      config {
        image = "stream:2"
        ports = ["http"]
      }
    }
  }
}
