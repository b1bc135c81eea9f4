variable "tag" {
  default = "1"
}
job "web" {
  group "web" {
    count = 2
    network {
      port "http" {}
    }
    meta {
      draingate_ignore_DG999 = "x"
      draingate_ignore_DG201 = ""
    }
    service {
      name = "web"
      port = "http"
      tags = ["traefik.enable=true"]
    }
    # draingate:ignore DG201 never called
    service {
      name = "web2"
      port = "http"
      tags = ["traefik.enable=true"]
    }
    task "web" {
      driver = "docker"
      config {
        image = "x:${var.tag}"
      }
    }
  }
}
