job "duo" {
  datacenters = ["dc1"]
  group "a" {
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
    service {
      name = "duo"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.duo.rule=Host(`duo.example`)",
        "traefik.http.services.duo.loadbalancer.passivehealthcheck.maxfailedattempts=2",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "a" {
      driver = "docker"
      config {
        image = "duo:2"
        ports = ["http"]
      }
    }
  }
  group "b" {
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
    service {
      name = "duo"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.duo.rule=Host(`duo.example`)",
        "traefik.http.services.duo.loadbalancer.passivehealthcheck.maxfailedattempts=2",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "b" {
      driver = "docker"
      config {
        image = "duo:2"
        ports = ["http"]
      }
    }
  }
}
