job "chat" {
  datacenters = ["dc1"]
  group "chat" {
    count          = 2
    shutdown_delay = "15s"
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
      port "ws" {
        to = 8081
      }
    }
    task "chat" {
      driver         = "docker"
      shutdown_delay = "20s"
      service {
        name = "chat"
        port = "http"
        tags = [
          "traefik.enable=true",
          "traefik.http.routers.chat.rule=Host(`chat.example`)",
        ]
        check {
          name     = "ready"
          type     = "http"
          path     = "/readyz"
          interval = "2s"
          timeout  = "1s"
        }
      }
      config {
        image = "chat:12"
        ports = ["http"]
      }
    }
    task "presence" {
      driver = "docker"
      service {
        name = "presence"
        port = "ws"
        tags = [
          "traefik.enable=true",
          "traefik.http.routers.presence.rule=Host(`presence.example`)",
        ]
        check {
          name     = "ready"
          type     = "http"
          path     = "/readyz"
          interval = "2s"
          timeout  = "1s"
        }
      }
      config {
        image = "presence:4"
        ports = ["ws"]
      }
    }
  }
}
