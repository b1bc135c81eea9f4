job "payments" {
  datacenters = ["dc1"]
  group "payments" {
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
      name = "payments"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.payments.rule=Host(`pay.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "payments" {
      driver = "docker"
      template {
        destination = "secrets/db.env"
        env         = true
        data        = "DB_PASSWORD={{ with nomadVar \"nomad/jobs/payments\" }}{{ .password }}{{ end }}"
      }
      config {
        image = "payments:44"
        ports = ["http"]
      }
    }
  }
}
