# Everything that bears on a drain, written out.
job "canary" {
  datacenters = ["dc1"]
  type        = "service"

  meta {
    draingate_mode        = "enforce"
    draingate_max_request = "2s"
  }

  update {
    max_parallel = 1
    auto_revert  = true
  }

  group "web" {
    count          = 3
    shutdown_delay = "15s"

    meta = {
      "draingate_drain" = "5s"
      "owner.team"      = "edge"
    }

    update {
      canary            = 3
      auto_promote      = false
      min_healthy_time  = "5s"
      healthy_deadline  = "2m"
      progress_deadline = "5m"
    }

    network {
      mode = "bridge"
      port "http" {
        to = 8080
      }
      port "metrics" {
        static = 9100
      }
    }

    ephemeral_disk {
      sticky  = true
      migrate = true
      size    = 500
    }

    service {
      name = "web"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.web.rule=Host(`web.example.org`)",
        # The load balancer's own check.
        "traefik.http.services.web.loadbalancer.healthcheck.path=/readyz",
      ]
      canary_tags = ["traefik.enable=true", "canary"]
      on_update   = "require_healthy"

      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"

        check_restart {
          limit = 3
          grace = "30s"
        }
      }

      check {
        type           = "tcp"
        interval       = "5s"
        timeout        = "1s"
        initial_status = "passing"
      }
    }

    task "server" {
      driver         = "docker"
      kill_timeout   = "20s"
      kill_signal    = "SIGTERM"
      shutdown_delay = "2s"
      leader         = true

      config {
        image = "example/web:1"
        ports = ["http", "metrics"]
        args  = ["--listen", ":8080"]
      }

      env {
        LOG_LEVEL = "info"
      }

      template {
        data        = "threads = 4"
        destination = "local/web.conf"
        change_mode = "signal"
        change_signal = "SIGHUP"
      }
    }
  }
}
