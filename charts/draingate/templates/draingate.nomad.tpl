job [[ var "job_name" . | quote ]] {
[[- if var "namespace" . ]]
  namespace = [[ var "namespace" . | quote ]]
[[- end ]]
[[- if var "region" . ]]
  region = [[ var "region" . | quote ]]
[[- end ]]
  type        = "system"
  datacenters = [[ var "datacenters" . | toJson ]]

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
      driver = [[ var "driver" . | quote ]]

      config {
[[- if eq (var "driver" .) "docker" ]]
        image        = [[ var "image" . | quote ]]
        network_mode = "host"
[[- else ]]
        command = [[ var "binary" . | quote ]]
[[- end ]]
        args = [
          "run",
[[- range $name := var "traefik_services" . ]]
          "--traefik-service", [[ $name | quote ]],
[[- end ]]
          "--listen", [[ var "listen" . | quote ]],
          "--advertise", [[ var "advertise" . | quote ]],
[[- if var "no_park" . ]]
          "--no-park",
[[- else ]]
          "--park-address", [[ var "park_address" . | quote ]],
          "--park-ports", [[ var "park_ports" . | quote ]],
[[- end ]]
          "--default-mode", [[ var "default_mode" . | quote ]],
          "--dry-run=[[ var "dry_run" . ]]",
[[- if var "traefik_api_user" . ]]
          "--traefik-api-user", [[ var "traefik_api_user" . | quote ]],
          "--traefik-api-password-file", "${NOMAD_SECRETS_DIR}/traefik-api-password",
[[- end ]]
[[- range $arg := var "extra_args" . ]]
          [[ $arg | quote ]],
[[- end ]]
        ]
      }

      # The task API is Nomad's own API on a socket in the task's secrets: no
      # address to configure and no way to talk to another cluster. It always
      # wants a token, also where ACLs are off: the workload identity, which this
      # puts into NOMAD_TOKEN.
      #
      # Where ACLs are on, the identity needs a policy:
      #
      #   nomad acl policy apply -namespace [[ coalesce (var "namespace" .) "default" ]] -job [[ var "job_name" . ]] draingate policies/nomad.hcl
      identity {
        env = true
      }

      # Where Nomad and Consul are set up for it (nomad setup consul), Nomad gets
      # a Consul token for the workload identity and puts it into CONSUL_HTTP_TOKEN.
      consul {}
[[- if var "consul_token_variable" . ]]

      # The token comes from a Nomad Variable, which the workload identity may
      # read. A change of it restarts draingate.
      template {
        data        = "CONSUL_HTTP_TOKEN={{ with nomadVar \"nomad/jobs/[[ var "job_name" . ]]\" }}{{ .consul_token }}{{ end }}"
        destination = "${NOMAD_SECRETS_DIR}/consul.env"
        env         = true
        perms       = "0400"
      }
[[- end ]]
[[- if var "traefik_api_user" . ]]

      template {
        data        = "{{ with nomadVar \"nomad/jobs/[[ var "job_name" . ]]\" }}{{ .traefik_api_password }}{{ end }}"
        destination = "${NOMAD_SECRETS_DIR}/traefik-api-password"
        perms       = "0400"
[[- if eq (var "driver" .) "docker" ]]
        # The user of the image.
        uid = 65532
        gid = 65532
[[- end ]]
      }
[[- end ]]

      # NOMAD_ADDR is said here because raw_exec passes on the environment of the
      # Nomad client, and an address in that would win over the socket. The path
      # of a socket ends at 107 bytes: if the client's data_dir is so deep that
      # Nomad warns "error creating task api socket", put the agent's own address
      # here.
      env = merge({
        NOMAD_ADDR       = "unix://${NOMAD_SECRETS_DIR}/api.sock"
        CONSUL_HTTP_ADDR = [[ var "consul_address" . | quote ]]
      }, [[ var "env" . | toJson ]])

      # On the stop signal it stops promoting at once. Placeholders leave the
      # catalog, and what still comes to their listeners and what waits there is
      # finished, for 25 s at most; without any it takes a few seconds to give up the
      # lead and to let answers of its status endpoint finish. With less than that
      # Nomad would kill it in between, and cut requests. A client with a
      # max_kill_timeout below 30 s shortens it.
      kill_timeout = "30s"

      resources {
        cpu    = [[ var "cpu" . ]]
        memory = [[ var "memory" . ]]
      }
    }
  }
}
