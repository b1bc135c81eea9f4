job "crowd" {
  update { canary = 1 }
  # first
  group "a" { # here
    count = 3 # three
    update {
      canary       = 1
      auto_promote = true // no
      max_parallel = 1
    }
    meta {
      draingate_mod = "enforce"
      draingate_max-request = "3s"
    }
    network {
      port "http" {}
    }
    service {
      name = "web"
      port = "http"
      tags = [
        "traefik.enable=true", # on
        "traefik.http.routers.web.rul=Host(`x`)",
      ]
      check {
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
        initial_status = "passing" # quick
        on_update = "ignore"
      }
    }
    task "t" {
      driver = "docker"
      template {
        destination = "local/x"
        data = <<EOT
x
EOT
      }
    }
  }
  group "b" {
    count = 3
    network { 
      port "http" {} 
    }
    service {
      name = "b"
      port = "http"
      tags = ["traefik.enable=true"]
      check {
        type     = "tcp"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "t" { driver = "docker" }
  }
}
