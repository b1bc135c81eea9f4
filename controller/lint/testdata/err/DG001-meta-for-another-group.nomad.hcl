job "maps" {
  datacenters = ["dc1"]
  group "tiles" {
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
    meta {
      draingate_ignore_DG201 = "the tiles are files on disk"
    }
    service {
      name = "tiles"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.tiles.rule=Host(`tiles.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "tiles" {
      driver = "docker"
      config {
        image = "tiles:3"
        ports = ["http"]
      }
    }
  }
  group "cache" {
    count = 1
    network {
      port "redis" {
        to = 6379
      }
    }
    service {
      name = "cache"
      port = "redis"
      tags = [
        "memory",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "cache" {
      driver = "docker"
      config {
        image = "redis:8"
      }
    }
  }
}
