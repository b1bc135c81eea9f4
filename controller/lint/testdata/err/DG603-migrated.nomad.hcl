job "drafts" {
  datacenters = ["dc1"]
  group "drafts" {
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
      migrate = true
    }
    service {
      name = "drafts"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.drafts.rule=Host(`drafts.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "drafts" {
      driver = "docker"
      config {
        image = "drafts:2"
        ports = ["http"]
      }
    }
  }
}
