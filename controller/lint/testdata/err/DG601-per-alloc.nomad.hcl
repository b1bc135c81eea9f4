job "kv" {
  datacenters = ["dc1"]
  group "kv" {
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
    volume "data" {
      type            = "csi"
      source          = "kv"
      per_alloc       = true
      access_mode     = "multi-node-multi-writer"
      attachment_mode = "file-system"
    }
    service {
      name = "kv"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.kv.rule=Host(`kv.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "kv" {
      driver = "docker"
      config {
        image = "kv:2"
        ports = ["http"]
      }
    }
  }
}
