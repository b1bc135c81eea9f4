job "apart" {
  datacenters = ["dc1"]
  constraint {
    distinct_hosts = true
  }
  group "apart" {
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
      name = "apart"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.apart.rule=Host(`apart.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "apart" {
      driver = "docker"
      config {
        image = "apart:2"
        ports = ["http"]
      }
    }
  }
}
