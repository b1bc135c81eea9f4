job "index" {
  datacenters = ["dc1"]
  group "index" {
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
    volume "index" {
      type            = "host"
      source          = "index"
      access_mode     = "single-node-single-writer"
      attachment_mode = "file-system"
    }
    service {
      name = "index"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.index.rule=Host(`index.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "index" {
      driver = "docker"
      config {
        image = "index:2"
        ports = ["http"]
      }
    }
  }
}
