job "dark" {
  datacenters = ["dc1"]
  group "dark" {
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
      name = "dark"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.dark.rule=Host(`dark.example`)",
        "traefik.http.services.dark.loadbalancer.server.weight=10",
      ]
      canary_tags = [
        "traefik.enable=true",
        "traefik.http.routers.dark.rule=Host(`dark.example`)",
        "traefik.http.services.dark.loadbalancer.server.weight=0",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "dark" {
      driver = "docker"
      config {
        image = "dark:2"
        ports = ["http"]
      }
    }
  }
}
