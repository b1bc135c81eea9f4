job "alpha" {
  datacenters = ["dc1"]
  group "alpha" {
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
      name = "alpha"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.${NOMAD_ALLOC_ID}.rule=Host(`beside.nomad.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "alpha" {
      driver = "docker"
      config {
        image = "alpha:2"
        ports = ["http"]
      }
    }
  }
}
