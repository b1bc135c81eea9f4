job "lobby" {
  datacenters = ["dc1"]
  group "lobby" {
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
      name = "lobby"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.lobby.rule=Host(`lobby.example`)",
        "traefik.http.services.lobby.loadbalancer.passivehealthcheck.maxfailedattempts=3",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "lobby" {
      driver = "docker"
      config {
        image = "lobby:2"
        ports = ["http"]
      }
    }
  }
}
