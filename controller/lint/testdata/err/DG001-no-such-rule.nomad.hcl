job "wiki" {
  datacenters = ["dc1"]
  group "wiki" {
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
    # draingate:ignore DG199 known since last year
    service {
      name = "wiki"
      port = "http"
      tags = [
        "traefik.enable=true",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "wiki" {
      driver = "docker"
      config {
        image = "wiki:2"
        ports = ["http"]
      }
    }
  }
}
