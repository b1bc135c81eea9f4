job "feature" {
  datacenters = ["dc1"]
  meta {
    public = "true"
  }
  group "feature" {
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
      name = "feature"
      port = "http"
      tags = [
        "traefik.enable=${NOMAD_META_public}",
        "traefik.http.routers.feature.rule=Host(`feature.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "feature" {
      driver = "docker"
      config {
        image = "feature:2"
        ports = ["http"]
      }
    }
  }
}
