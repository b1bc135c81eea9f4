job "couple" {
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
      name = "couple-read"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.couple-read.rule=Host(`couple.example`)",
        "traefik.http.middlewares.limit.ratelimit.average=50",
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
        image = "couple:2"
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
      name = "couple-write"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.couple-write.rule=Host(`write.couple.example`)",
        "traefik.http.middlewares.limit.ratelimit.average=50",
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
        image = "couple:2"
        ports = ["http"]
      }
    }
  }
}
