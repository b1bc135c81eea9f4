job "import" {
  datacenters = ["dc1"]
  group "import" {
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
    meta {
      draingate_ignore_DG999 = "an old one"
      draingate_window       = "5s"
    }
    service {
      name = "import"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.import.rule=Host(`import.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "import" {
      driver = "docker"
      config {
        image = "import:2"
        ports = ["http"]
      }
    }
  }
}
