job "mixed" {
  datacenters = ["dc1"]
  group "front" {
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
      name = "mixed"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.mixed.rule=Host(`mixed.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "front" {
      driver = "docker"
      config {
        image = "mixed:2"
        ports = ["http"]
      }
    }
  }
  group "back" {
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
      name = "mixed"
      port = "http"
      tags = [
        "traefik.enable=false",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "back" {
      driver = "docker"
      config {
        image = "mixed:2"
        ports = ["http"]
      }
    }
  }
}
