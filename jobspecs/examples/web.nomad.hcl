# A web service whose deploys draingate gates. What makes the difference to an
# ordinary job is marked with a number.
#
#   nomad job run -var version=1 web.nomad.hcl
#   nomad job run -var version=2 web.nomad.hcl   # promoted once that loses nothing
#   draingate status web

variable "command" {
  type        = string
  default     = "/usr/local/bin/web"
  description = "A program that listens on $ADDR and answers /readyz with 200 once it can take traffic."
}

variable "version" {
  type        = string
  default     = "1"
  description = "Another value is another version, as another image tag would be."
}

variable "count" {
  type    = number
  default = 1
}

variable "hostname" {
  type    = string
  default = "web.example.com"
}

variable "traefik_prefix" {
  type        = string
  default     = "traefik"
  description = "What Traefik's providers.consulCatalog.prefix says."
}

variable "shutdown_delay" {
  type        = string
  default     = "20s"
  description = "At least T + L + margin: see 4."
}

job "web" {
  datacenters = ["*"]

  meta {
    # 1. Without this line draingate watches the job and says what it would do,
    #    and a person promotes.
    draingate_mode = "enforce"
  }

  update {
    # 2. As many canaries as instances: the new version is there in full beside
    #    the old one before the old one is stopped.
    canary = var.count

    # 3. Otherwise Nomad promotes in the same step in which the last canary
    #    turns healthy, whether or not any proxy routes to it yet.
    auto_promote = false

    health_check     = "checks"
    min_healthy_time = "10s"
  }

  group "web" {
    count = var.count

    # 4. Nomad takes an instance out of Consul first and stops it after this
    #    delay (S). Traefik asks Consul every refreshInterval, 15 s by default,
    #    and routes to the instance until then (T, about 17.5 s by default). So
    #    S ≥ T + the longest request (L, draingate_max_request) + 1 s of margin.
    #    If it is too short draingate holds, and its message has the value.
    #    It belongs to the group, as the service does: a delay of the task alone
    #    would do as well, but a service of the task is still registered during
    #    a delay of the group.
    shutdown_delay = var.shutdown_delay

    network {
      port "http" {}
    }

    service {
      name = "web"
      port = "http"

      # 5. Traefik and draingate have to see health, and Nomad's own catalog has
      #    none.
      provider = "consul"

      # 6. The same tags for both versions, and no canary_tags: one router and
      #    one service, whose pool the canary joins before the old one leaves.
      #    Traefik drops a name that two instances define differently.
      tags = [
        "${var.traefik_prefix}.enable=true",
        "${var.traefik_prefix}.http.routers.web.rule=Host(`${var.hostname}`)",
        "${var.traefik_prefix}.http.routers.web.service=web",
        "${var.traefik_prefix}.http.services.web.loadbalancer.passhostheader=true",
      ]

      # 7. A check on readiness, and no initial_status: an instance without a
      #    check, or one that starts as passing, is routed before it can answer.
      check {
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }

    task "web" {
      driver = "raw_exec"

      config {
        command = var.command
      }

      env {
        ADDR    = "${NOMAD_ADDR_http}"
        VERSION = var.version
      }

      # From the stop signal to the end, after the shutdown_delay: time for
      # what is still being answered. If the program serves on for a while after
      # the signal, say so with draingate_drain and give it more than that here.
      kill_timeout = "10s"

      resources {
        cpu    = 100
        memory = 64
      }
    }
  }
}
