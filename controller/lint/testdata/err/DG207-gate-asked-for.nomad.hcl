job "invoices" {
  datacenters = ["dc1"]
  meta {
    draingate_mode = "enforce"
  }
  update {
    max_parallel = 2
  }
  group "invoices" {
    count          = 4
    shutdown_delay = "20s"
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "invoices"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.invoices.rule=Host(`invoices.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "invoices" {
      driver = "docker"
      config {
        image = "invoices:7"
        ports = ["http"]
      }
    }
  }
}
