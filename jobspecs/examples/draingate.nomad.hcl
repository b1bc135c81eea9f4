# draingate as a Nomad system job: one on every client, since a later version
# acts on the Consul agent of the node that an old instance runs on.
#
#   nomad job run -var binary=/usr/local/bin/draingate draingate.nomad.hcl
#
# They elect a leader, by the lock of a key in Consul, and only that one promotes;
# the others pass questions for the status on to it.

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
  description = "The local Consul agent."
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

variable "dry_run" {
  type        = bool
  default     = false
  description = "Decide and report, and never promote. A good way to begin."
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
          "--dry-run=${var.dry_run}",
        ])
      }

      # The task API is Nomad's own API on a socket in the task's secrets: no
      # address to configure and no way to talk to another cluster. It always
      # wants a token, also where ACLs are off: the workload identity, which this
      # puts into NOMAD_TOKEN.
      #
      # Where ACLs are on, the identity needs a policy, in every namespace that
      # is to be gated read-job and promote-deployment (before Nomad 1.11.2:
      # submit-job), and agent { policy = "read" }:
      #
      #   nomad acl policy apply -job draingate draingate policy.hcl
      identity {
        env = true
      }

      env {
        # Said here because raw_exec passes on the environment of the Nomad
        # client, and an address in that would win over the socket. The path of
        # a socket ends at 107 bytes: if the client's data_dir is so deep that
        # Nomad warns "error creating task api socket", put the agent's own
        # address here.
        NOMAD_ADDR       = "unix://${NOMAD_SECRETS_DIR}/api.sock"
        CONSUL_HTTP_ADDR = var.consul_address
      }

      # On the stop signal it stops promoting at once, gives up the lead, for
      # which it waits for Consul for 4 s at most, and then lets answers of its
      # status endpoint finish, for 3 s at most. With less than that and
      # some room Nomad would kill it in between.
      kill_timeout = "10s"

      resources {
        cpu    = 100
        memory = 128
      }
    }
  }
}
