job "oldstyle" {
  datacenters = ["dc1"]
  group "oldstyle" {
    count = 1
    update {
      canary = 1
    }
    task "oldstyle" {
      driver         = "docker"
      shutdown_delay = "20s"
      service {
        name = "oldstyle"
        port = "http"
        tags = [
          "traefik.enable=true",
          "traefik.http.routers.oldstyle.rule=Host(`old.example`)",
        ]
        check {
          name     = "ready"
          type     = "http"
          path     = "/readyz"
          interval = "2s"
          timeout  = "1s"
        }
      }
      resources {
        network {
          port "http" {
            static = 9000
          }
        }
      }
      config {
        image = "oldstyle:2"
        ports = ["http"]
      }
    }
  }
}
