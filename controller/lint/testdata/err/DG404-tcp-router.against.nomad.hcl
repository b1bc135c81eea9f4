job "broker" {
  datacenters = ["dc1"]
  group "broker" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary = 2
    }
    network {
      port "mqtt" {
        to = 8883
      }
    }
    service {
      name = "broker"
      port = "mqtt"
      tags = [
        "traefik.enable=true",
        "traefik.tcp.routers.broker.rule=HostSNI(`mqtt.example`)",
        "traefik.tcp.routers.broker.entrypoints=mqtt",
        "traefik.tcp.routers.broker.tls.passthrough=true",
      ]
      check {
        name     = "open"
        type     = "tcp"
        interval = "5s"
        timeout  = "2s"
      }
    }
    task "broker" {
      driver = "docker"
      config {
        image = "broker:1"
        ports = ["mqtt"]
      }
    }
  }
}
