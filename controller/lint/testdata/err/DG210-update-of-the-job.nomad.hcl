job "sync" {
  datacenters = ["dc1"]
  update {
    canary       = 1
    health_check = "task_states"
  }
  group "sync" {
    count = 1
    network {
      port "http" {
        to = 8080
      }
    }
    task "sync" {
      driver         = "exec"
      shutdown_delay = "20s"
      service {
        name = "sync"
        port = "http"
        tags = [
          "traefik.enable=true",
          "traefik.http.routers.sync.rule=Host(`sync.example`)",
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
        command = "local/sync"
      }
    }
  }
}
