job "queueui" {
  datacenters = ["dc1"]
  group "queueui" {
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
    ephemeral_disk {
      size   = 500
      sticky = true
    }
    service {
      name = "queueui"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.queueui.rule=Host(`queue.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "queueui" {
      driver = "docker"
      config {
        image = "queueui:2"
        ports = ["http"]
      }
    }
  }
}
