job "forum" {
  datacenters = ["dc1"]
  group "web" {
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
      name = "forum"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.forum.rule=Host(`forum.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "web" {
      driver = "docker"
      config {
        image = "forum:9"
        ports = ["http"]
      }
    }
  }
  group "admin" {
    count = 2
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    task "admin" {
      driver         = "docker"
      shutdown_delay = "20s"
      service {
        name = "forum-admin"
        port = "http"
        tags = [
          "traefik.enable=true",
          "traefik.http.routers.admin.rule=Host(`admin.forum.example`)",
        ]
      }
      config {
        image = "forum-admin:9"
        ports = ["http"]
      }
    }
  }
}
