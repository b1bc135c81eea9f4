job "cms" {
  datacenters = ["dc1"]
  group "cms" {
    count          = 3
    shutdown_delay = "20s"
    update {
      canary       = 3
      max_parallel = 0
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "cms"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.cms.rule=Host(`cms.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "cms" {
      driver = "docker"
      config {
        image = "cms:12"
        ports = ["http"]
      }
    }
  }
}
