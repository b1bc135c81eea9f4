job "registry" {
  datacenters = ["dc1"]
  group "registry" {
    count          = 1
    shutdown_delay = "20s"
    network {
      port "http" {
        to = 8080
      }
    }
    volume "layers" {
      type            = "csi"
      source          = "layers"
      access_mode     = "single-node-writer"
      attachment_mode = "file-system"
    }
    service {
      name = "registry"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.registry.rule=Host(`registry.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "registry" {
      driver = "docker"
      config {
        image = "registry:3"
        ports = ["http"]
      }
    }
  }
}
