job "ocr" {
  datacenters = ["dc1"]
  group "ocr" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary            = 2
      min_healthy_time  = "30s"
      healthy_deadline  = "5m"
      progress_deadline = "10m"
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "ocr"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.ocr.rule=Host(`ocr.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "ocr" {
      driver = "docker"
      config {
        image = "ocr:4"
        ports = ["http"]
      }
    }
  }
}
