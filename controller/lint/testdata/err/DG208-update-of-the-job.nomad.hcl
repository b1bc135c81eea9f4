job "edge" {
  datacenters = ["dc1"]
  update {
    canary = 2
  }
  group "eu" {
    count          = 2
    shutdown_delay = "20s"
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "edge-eu"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.edge-eu.rule=Host(`eu.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "eu" {
      driver = "docker"
      config {
        image = "edge:4"
        ports = ["http"]
      }
    }
  }
  group "us" {
    count          = 6
    shutdown_delay = "20s"
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "edge-us"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.edge-us.rule=Host(`us.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "us" {
      driver = "docker"
      config {
        image = "edge:4"
        ports = ["http"]
      }
    }
  }
}
