job "plug" {
  datacenters = ["dc1"]
  group "plug" {
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
      name = "plug"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.plug.rule=Host(`plug.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "plug" {
      driver = "docker"
      config {
        image = "plug:2"
        ports = ["http"]
      }
    }
  }
}
