job "probe" {
  datacenters = ["dc1"]
  group "probe" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary            = 2
      min_healthy_time  = "10s"
      healthy_deadline  = "1m"
      progress_deadline = "5m"
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "probe"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.probe.rule=Host(`probe.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "55s"
        timeout  = "5s"
      }
    }
    task "probe" {
      driver = "docker"
      config {
        image = "probe:2"
        ports = ["http"]
      }
    }
  }
}
