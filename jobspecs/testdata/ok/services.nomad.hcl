job "services" {
  group "both" {
    network {
      port "http" {}
      port "admin" {}
    }
    service {
      port     = "http"
      provider = "consul"
    }
    service {
      name           = "${JOB}-${TASKGROUP}-two"
      port           = "http"
      address_mode   = "host"
      task           = "app"
      enable_tag_override = true
      check_restart {
        limit           = 2
        ignore_warnings = true
      }
      check {
        type     = "http"
        path     = "/"
        port     = "admin"
        method   = "HEAD"
        interval = "10s"
        timeout  = "2s"
        success_before_passing   = 2
        failures_before_critical = 3
        header {
          Authorization = ["Basic abc"]
        }
      }
      meta {
        version = "1"
      }
    }
    task "app" {
      driver = "raw_exec"
      config { command = "/bin/app" }
      service {
        name         = "${BASE}"
        port         = "admin"
        tags         = ["internal"]
        canary_tags  = []
        address      = "192.0.2.10"
        check {
          type      = "grpc"
          interval  = "3s"
          timeout   = "1s"
          on_update = "ignore"
          grpc_use_tls = true
        }
      }
    }
    task "sidecar" {
      driver = "raw_exec"
      lifecycle {
        hook    = "prestart"
        sidecar = true
      }
      config { command = "/bin/sidecar" }
      shutdown_delay = "1s"
      service {
        name = "${TASK}-${node.unique.name}"
        port = "admin"
      }
    }
  }
  group "native" {
    network {
      port "http" {}
    }
    service {
      port     = "http"
      provider = "nomad"
    }
    task "app" {
      driver = "raw_exec"
      config { command = "/bin/app" }
    }
  }
}
