job "region" {
  datacenters = ["dc1"]
  group "region" {
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
      name = "region"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.${NOMAD_GROUP_NAME}.rule=Host(`${NOMAD_GROUP_NAME}.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "region" {
      driver = "docker"
      config {
        image = "region:2"
        ports = ["http"]
      }
    }
  }
}
