job "reports" {
  datacenters = ["dc1"]
  meta {
    draingate_max_request = "8s"
  }
  group "reports" {
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
      name = "reports"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.reports.rule=Host(`reports.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "reports" {
      driver = "docker"
      config {
        image = "reports:14"
        ports = ["http"]
      }
    }
  }
}
