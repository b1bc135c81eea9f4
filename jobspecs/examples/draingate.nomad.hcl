# draingate as a Nomad system job: one on every client, since an old instance can
# only be fenced by the one beside the Consul agent of its node.
#
#   nomad job run -var binary=/usr/local/bin/draingate draingate.nomad.hcl
#
# They elect a leader, by the lock of a key in Consul, and only that one promotes;
# the others pass questions for the status on to it.
#
# charts/draingate has the same as a Nomad Pack, and the ACL policies.

variable "binary" {
  type        = string
  default     = "/usr/local/bin/draingate"
  description = "The path of the draingate binary on every client."
}

variable "traefik_services" {
  type        = list(string)
  default     = ["traefik"]
  description = "The Consul services whose instances are the Traefik processes to watch. Their port in Consul is the one of Traefik's API."
}

variable "consul_address" {
  type        = string
  default     = "127.0.0.1:8500"
  description = "The local Consul agent: host:port, or a URL that starts with https://."
}

variable "consul_token_variable" {
  type        = bool
  default     = false
  description = "Take the Consul token from the item consul_token of the job's Nomad Variable, nomad/jobs/draingate, where Consul does not accept workload identities."
}

variable "traefik_api_user" {
  type        = string
  default     = ""
  description = "The user for Traefik's API. The password is the item traefik_api_password of the job's Nomad Variable, nomad/jobs/draingate."
}

variable "listen" {
  type        = string
  default     = "127.0.0.1:4689"
  description = "The address of the status endpoint. It asks nobody who they are, so it stays on loopback unless something in front of it does."
}

variable "advertise" {
  type        = string
  default     = ""
  description = "The address at which the others reach the status endpoint of each instance, such as $${attr.unique.network.ip-address}:4689 with a listen to match. Without one only the leader's own endpoint has the status."
}

variable "park_address" {
  type        = string
  default     = ""
  description = "The IP address at which every Traefik reaches the node, for services that are parked for. Empty for the one that the Consul agent advertises."
}

variable "park_ports" {
  type        = string
  default     = ""
  description = "The ports to listen on for services that are parked for, one for each, such as 21000-21099, where a firewall is in between. Empty for any that is free."
}

variable "no_park" {
  type        = bool
  default     = false
  description = "Park for no service, whatever jobs say."
}

variable "default_mode" {
  type        = string
  default     = "observe"
  description = "The mode of a job without draingate_mode in its meta: enforce, observe or off."
}

variable "dry_run" {
  type        = bool
  default     = false
  description = "Decide and report, and never promote. A good way to begin."
}

variable "extra_args" {
  type        = list(string)
  default     = []
  description = "More flags of draingate run, such as --traefik-api-ca=/etc/traefik/ca.pem. No secrets: arguments can be read by others."
}

variable "env" {
  type        = map(string)
  default     = {}
  description = "More variables, such as CONSUL_CACERT for a Consul that speaks https. They win over those that the job sets itself."
}

variable "datacenters" {
  type        = list(string)
  default     = ["*"]
  description = "The datacenters to run in. Jobs are gated only in the datacenters of their own that a draingate sees."
}

job "draingate" {
  type        = "system"
  datacenters = var.datacenters

  # Above the jobs that it watches, so that it is not what makes room for them.
  priority = 80

  meta {
    # From Nomad 1.11 on a system job has deployments too. This one is not to
    # show up in its own list.
    draingate_mode = "off"
  }

  group "draingate" {
    # While it is down nothing is promoted, and nothing is lost either.
    restart {
      attempts = 3
      interval = "1m"
      delay    = "5s"
      mode     = "delay"
    }

    task "draingate" {
      # With another driver the binary is in the image. The task API's socket
      # and the environment below are the same there; Traefik's API and Consul's
      # have to be reachable from inside the container.
      driver = "raw_exec"

      config {
        command = var.binary
        args = flatten([
          "run",
          [for name in var.traefik_services : ["--traefik-service", name]],
          "--listen", var.listen,
          "--advertise", var.advertise,
          var.no_park ? ["--no-park"] : ["--park-address", var.park_address, "--park-ports", var.park_ports],
          "--default-mode", var.default_mode,
          "--dry-run=${var.dry_run}",
          var.traefik_api_user == "" ? [] : ["--traefik-api-user", var.traefik_api_user,
          "--traefik-api-password-file", "${NOMAD_SECRETS_DIR}/traefik-api-password"],
          var.extra_args,
        ])
      }

      # The task API is Nomad's own API on a socket in the task's secrets: no
      # address to configure and no way to talk to another cluster. It always
      # wants a token, also where ACLs are off: the workload identity, which this
      # puts into NOMAD_TOKEN.
      #
      # Where ACLs are on, the identity needs a policy:
      #
      #   nomad acl policy apply -namespace default -job draingate draingate charts/draingate/policies/nomad.hcl
      identity {
        env = true
      }

      # Where Nomad and Consul are set up for it (nomad setup consul), Nomad gets
      # a Consul token for the workload identity and puts it into CONSUL_HTTP_TOKEN.
      consul {}

      # Without that the token comes from a Nomad Variable, which the workload
      # identity may read. A change of it restarts draingate.
      dynamic "template" {
        for_each = var.consul_token_variable ? ["consul_token"] : []
        content {
          data        = "CONSUL_HTTP_TOKEN={{ with nomadVar \"nomad/jobs/draingate\" }}{{ .consul_token }}{{ end }}"
          destination = "${NOMAD_SECRETS_DIR}/consul.env"
          env         = true
          perms       = "0400"
        }
      }

      dynamic "template" {
        for_each = var.traefik_api_user == "" ? [] : ["traefik_api_password"]
        content {
          data        = "{{ with nomadVar \"nomad/jobs/draingate\" }}{{ .traefik_api_password }}{{ end }}"
          destination = "${NOMAD_SECRETS_DIR}/traefik-api-password"
          perms       = "0400"
        }
      }

      # NOMAD_ADDR is said here because raw_exec passes on the environment of the
      # Nomad client, and an address in that would win over the socket. The path
      # of a socket ends at 107 bytes: if the client's data_dir is so deep that
      # Nomad warns "error creating task api socket", put the agent's own address
      # here.
      env = merge({
        NOMAD_ADDR       = "unix://${NOMAD_SECRETS_DIR}/api.sock"
        CONSUL_HTTP_ADDR = var.consul_address
      }, var.env)

      # On the stop signal it stops promoting at once. Placeholders leave the
      # catalog, and what still comes to their listeners and what waits there is
      # finished, for 25 s at most; without any it takes a few seconds to give up the
      # lead and to let answers of its status endpoint finish. With less than that
      # Nomad would kill it in between, and cut requests. A client with a
      # max_kill_timeout below 30 s shortens it.
      kill_timeout = "30s"

      resources {
        cpu    = 100
        memory = 128
      }
    }
  }
}
