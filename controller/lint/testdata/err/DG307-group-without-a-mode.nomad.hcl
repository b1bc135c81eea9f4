job "suite" {
  datacenters = ["dc1"]
  group "api" {
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
      draingate_mode = "enforce"
    }
    service {
      name = "suite-api"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.suite-api.rule=Host(`api.suite.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "api" {
      driver = "docker"
      config {
        image = "suite:2"
        ports = ["http"]
      }
    }
  }
  group "docs" {
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
      name = "suite-docs"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.suite-docs.rule=Host(`docs.suite.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "docs" {
      driver = "docker"
      config {
        image = "suite-docs:2"
        ports = ["http"]
      }
    }
  }
}
