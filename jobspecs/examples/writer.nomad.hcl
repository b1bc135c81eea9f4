# A service with one writer: it has a database on a disk of its node, and no two
# instances may have it open. So a new version starts when the old one has ended,
# and draingate lets requests wait meanwhile. What makes the difference to an
# ordinary job is marked with a number; docs/park-writer.md has what the
# application has to do.
#
#   nomad job run -var version=1 writer.nomad.hcl
#   nomad job run -var version=2 writer.nomad.hcl   # requests wait, and none is lost

variable "version" {
  type    = string
  default = "1"
}

variable "image" {
  type        = string
  default     = "registry.example.com/ledger"
  description = "A server that answers /livez from its start and /readyz once it is the writer."
}

variable "hostname" {
  type    = string
  default = "ledger.example.com"
}

variable "replica" {
  type        = string
  default     = "s3://backups.example.com/ledger"
  description = "Where the copy of the database goes."
}

job "ledger" {
  datacenters = ["*"]

  meta {
    # 1. The longest that one request waits for the new version. The timeouts of
    #    Traefik's entry points and of the clients have to be longer.
    draingate_park = "45s"

    # 2. With observe or off nothing is parked.
    draingate_mode = "enforce"
  }

  update {
    # 3. No canary: there is nothing that two could share. The version before
    #    comes back by itself if this one never becomes ready, and requests
    #    wait for that too.
    canary           = 0
    max_parallel     = 1
    auto_revert      = true
    health_check     = "checks"
    min_healthy_time = "5s"
  }

  group "ledger" {
    count = 1

    # 4. The advance notice. The service below stands in its task, so it stays in
    #    Consul and serves for all of this delay; by its end every Traefik has
    #    draingate's placeholder beside it. At least T + 2s to see the stop and to
    #    register + 1s of margin; T is about 17.5s with Traefik's defaults, and
    #    4.5s with a refreshInterval of 2s.
    shutdown_delay = "21s"

    network {
      port "http" {
        to = 8080
      }
    }

    # 5. A disk that one allocation at a time may claim.
    volume "data" {
      type        = "host"
      source      = "ledger"
      access_mode = "single-node-single-writer"
    }

    task "ledger" {
      driver = "docker"

      # 6. From here on the service is out of Consul, and those proxies that have
      #    not read so yet still ask this instance: at least T + 1s of margin.
      shutdown_delay = "19s"

      # 7. What the application needs from the stop signal to its end: it answers
      #    what it has, takes nothing new, and closes the database.
      kill_signal  = "SIGTERM"
      kill_timeout = "20s"

      service {
        name     = "ledger"
        port     = "http"
        provider = "consul"

        # 8. The same tags for both versions: the placeholder has the old ones
        #    while the new version comes up beside it.
        tags = [
          "traefik.enable=true",
          "traefik.http.routers.ledger.rule=Host(`${var.hostname}`)",
        ]

        # 9. Routing goes by readiness alone.
        check {
          name     = "ready"
          type     = "http"
          path     = "/readyz"
          interval = "1s"
          timeout  = "1s"
        }

        # 10. Restarting goes by being alive alone. An instance that warms up, waits
        #     for the database or drains is alive, so this one must not fail then.
        check {
          name     = "alive"
          type     = "http"
          path     = "/livez"
          interval = "10s"
          timeout  = "2s"

          check_restart {
            limit = 3
            grace = "60s"
          }
        }
      }

      config {
        image = "${var.image}:${var.version}"
        ports = ["http"]
      }

      env {
        DATABASE = "/data/ledger.db"
      }

      volume_mount {
        volume      = "data"
        destination = "/data"
      }

      resources {
        cpu    = 200
        memory = 128
      }
    }

    # 11. A sidecar is started before the application and stopped after it, so that
    #     what the application writes while it ends is copied too.
    task "copy" {
      driver = "docker"

      lifecycle {
        hook    = "prestart"
        sidecar = true
      }

      # 12. The last upload has to be done within it. Clients cut it to their
      #     max_kill_timeout, 30s unless set otherwise.
      kill_timeout = "30s"

      config {
        image = "litestream/litestream:0.3"
        args  = ["replicate", "/data/ledger.db", var.replica]
      }

      volume_mount {
        volume      = "data"
        destination = "/data"
      }

      resources {
        cpu    = 50
        memory = 64
      }
    }
  }
}
