job "landing" {
  datacenters = ["dc1"]
  group "landing" {
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
      name = "landing"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.landing.rule=Host(`landing.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "landing" {
      driver = "docker"
      template {
        destination = "local/index.html"
        data        = "<p>{{ env \"NOMAD_ALLOC_ID\" }}</p>"
      }
      config {
        image = "landing:1"
        ports = ["http"]
      }
    }
  }
}
