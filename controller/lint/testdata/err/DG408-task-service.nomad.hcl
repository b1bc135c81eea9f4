job "desk" {
  datacenters = ["dc1"]
  group "desk" {
    count = 1
    update {
      canary = 1
    }
    network {
      port "http" {
        to = 8080
      }
    }
    task "desk" {
      driver         = "exec"
      shutdown_delay = "20s"
      service {
        name = "desk"
        port = "http"
        tags = [
          "traefik.enable=true",
          "traefik.http.routers.desk.rule=Host(`desk.example`)",
          "traefik.http.services.desk.loadbalancer.passivehealthcheck.maxfailedattempts=5",
          "traefik.http.services.desk.loadbalancer.passivehealthcheck.failurewindow=1m",
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
        command = "local/desk"
      }
    }
  }
}
