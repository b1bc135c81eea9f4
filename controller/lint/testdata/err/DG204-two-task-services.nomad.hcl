job "media" {
  datacenters = ["dc1"]
  group "media" {
    count = 2
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
      port "video" {
        to = 8090
      }
    }
    task "audio" {
      driver         = "docker"
      shutdown_delay = "20s"
      service {
        name = "audio"
        port = "http"
        tags = [
          "traefik.enable=true",
          "traefik.http.routers.audio.rule=Host(`audio.example`)",
        ]
        provider = "nomad"
        check {
          name     = "ready"
          type     = "http"
          path     = "/readyz"
          interval = "2s"
          timeout  = "1s"
        }
      }
      config {
        image = "audio:2"
        ports = ["http"]
      }
    }
    task "video" {
      driver         = "docker"
      shutdown_delay = "20s"
      service {
        name = "video"
        port = "video"
        tags = [
          "traefik.enable=true",
          "traefik.http.routers.video.rule=Host(`video.example`)",
        ]
        provider = "nomad"
        check {
          name     = "ready"
          type     = "http"
          path     = "/readyz"
          interval = "2s"
          timeout  = "1s"
        }
      }
      config {
        image = "video:2"
        ports = ["video"]
      }
    }
  }
}
