job "omega" {
  datacenters = ["dc1"]
  group "omega" {
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
      name = "omega"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.${NOMAD_ALLOC_ID}.rule=Host(`omega.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "omega" {
      driver = "docker"
      config {
        image = "omega:2"
        ports = ["http"]
      }
    }
  }
}
