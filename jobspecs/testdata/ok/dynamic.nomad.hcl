variable "services" {
  type = list(object({ name = string, tags = list(string), checks = list(string) }))
  default = [
    { name = "one", tags = ["a", "b"], checks = ["/", "/readyz"] },
    { name = "two", tags = [], checks = [] },
  ]
}

variable "ports" {
  type    = set(string)
  default = ["http", "admin"]
}

locals {
  enabled = [for s in var.services : s if local.all || length(s.tags) > 0]
  all     = true
}

job "dynamic" {
  group "web" {
    network {
      dynamic "port" {
        for_each = var.ports
        labels   = [port.key]
        content {
          to = 8080
        }
      }
      port "fixed" {
        static = 80
      }
    }

    service {
      name = "first"
      port = "http"
    }

    dynamic "service" {
      for_each = local.enabled
      content {
        name = service.value.name
        port = "http"
        tags = concat(["traefik.enable=true"], service.value.tags)

        dynamic "check" {
          for_each = service.value.checks
          iterator = path
          content {
            type     = "http"
            path     = path.value
            interval = "1s"
            timeout  = "1s"
          }
        }
      }
    }

    service {
      name = "last"
      port = "admin"
      tags = ["written", "out"]
    }

    task "server" {
      driver = "raw_exec"
      config {
        command = "/bin/server"
      }
      dynamic "template" {
        for_each = { a = "1", b = "2" }
        content {
          data        = template.value
          destination = "local/${template.key}"
          change_mode = "noop"
        }
      }
    }
  }
}
