job "voip" {
  datacenters = ["dc1"]
  group "voip" {
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
      name = "voip"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.voip.rule=Host(`voip.example`)",
        "traefik.udp.routers.voip.entrypoints=sip",
        "traefik.udp.services.voip.loadbalancer.server.port=5060",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "voip" {
      driver = "docker"
      config {
        image = "voip:2"
        ports = ["http"]
      }
    }
  }
}
