job "vault" {
  datacenters = ["dc1"]
  group "vault" {
    count          = 1
    shutdown_delay = "20s"
    update {
      canary = 1
    }
    network {
      port "http" {
        to = 8080
      }
    }
    volume "data" {
      type            = "csi"
      source          = "vault"
      access_mode     = "single-node-writer"
      attachment_mode = "file-system"
    }
    service {
      name = "vault"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.vault.rule=Host(`vault.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "vault" {
      driver = "docker"
      config {
        image = "vault:2"
        ports = ["http"]
      }
    }
  }
}
