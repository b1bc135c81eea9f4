job "profile" {
  datacenters = ["dc1"]
  group "profile" {
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
    task "profile" {
      driver         = "docker"
      shutdown_delay = "20s"
      service {
        name = "profile"
        port = "http"
        tags = [
          "traefik.enable=true",
          "traefik.http.routers.profile.rule=Host(`profile.example`)",
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
        image = "profile:9"
        ports = ["http"]
      }
    }
  }
}
