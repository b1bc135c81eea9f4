job "spreadout" {
  datacenters = ["dc1"]
  group "spreadout" {
    count          = 3
    shutdown_delay = "20s"
    update {
      canary = 3
    }
    network {
      port "http" {
        to = 8080
      }
    }
    constraint {
      operator = "distinct_hosts"
      value    = "false"
    }
    service {
      name = "spreadout"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.spreadout.rule=Host(`spread.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "spreadout" {
      driver = "docker"
      config {
        image = "spreadout:2"
        ports = ["http"]
      }
    }
  }
}
