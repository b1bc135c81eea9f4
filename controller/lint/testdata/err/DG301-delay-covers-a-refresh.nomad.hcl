job "ads" {
  datacenters = ["dc1"]
  group "ads" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary       = 2
      auto_promote = true
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "ads"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.ads.rule=Host(`ads.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "ads" {
      driver = "docker"
      config {
        image = "ads:3"
        ports = ["http"]
      }
    }
  }
}
