job "pair" {
  datacenters = ["dc1"]
  group "read" {
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
      name = "pair-read"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.pair-read.rule=Host(`pair.example`)",
        "traefik.http.middlewares.limit.ratelimit.average=100",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "read" {
      driver = "docker"
      config {
        image = "pair:2"
        ports = ["http"]
      }
    }
  }
  group "write" {
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
      name = "pair-write"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.pair-write.rule=Host(`write.pair.example`)",
        "traefik.http.middlewares.limit.ratelimit.average=20",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "write" {
      driver = "docker"
      config {
        image = "pair:2"
        ports = ["http"]
      }
    }
  }
}
