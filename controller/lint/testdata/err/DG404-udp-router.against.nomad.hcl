job "dns" {
  datacenters = ["dc1"]
  group "dns" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary = 2
    }
    network {
      port "dns" {
        to = 53
      }
    }
    service {
      name = "dns"
      port = "dns"
      tags = [
        "traefik.enable=true",
        "traefik.udp.routers.dns.entrypoints=dns",
      ]
      check {
        name     = "open"
        type     = "tcp"
        interval = "5s"
        timeout  = "2s"
      }
    }
    task "dns" {
      driver = "docker"
      config {
        image = "dns:1"
        ports = ["dns"]
      }
    }
  }
}
