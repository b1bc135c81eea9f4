# A job in the layout of nomad fmt: it has it afterwards as well.
job "layout" {
  group "tabs" {
    count = 2 # two

    update {
      canary = 2
    }

    network {
      port "http" {}
    }

    service {
      name = "tabs"
      port = "http"
      tags = ["traefik.enable=true"]

      check {
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }

    meta = {
      "draingate_drain" = "12s"
      draingate_mod     = "enforce" // asks for the gate
    }

    task "server" {
      driver = "exec"
      config {
        command = "server"
      }
      kill_signal = "SIGTERM"

      template {
        data        = <<-EOT
          kill_timeout = "1s"
        EOT
        destination = "local/x"
        change_mode = "noop"
      }
    }

    task "side" {
      driver = "docker"

      lifecycle {
        hook    = "prestart"
        sidecar = true
      }
    }
  }

  group "deadlines" { /* on
    two lines */
    update { healthy_deadline = "15m" }
    network {
      port "http" {}
    }
    service {
      name = "deadlines"
      port = "http"
      tags = ["traefik.enable=false"]
    }
    task "server" { driver = "docker" }
  }
}
