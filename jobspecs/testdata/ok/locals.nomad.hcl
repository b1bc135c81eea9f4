locals {
  prefix = "traefik.http.routers"
  router = "${local.prefix}.${local.name}"
  name   = "shop"
  common = ["traefik.enable=true", "${local.router}.tls=true"]
  delays = { web = "12s", api = "8s" }
}

job "locals" {
  group "web" {
    shutdown_delay = local.delays.web
    service {
      name        = local.name
      port        = "http"
      tags        = concat(local.common, ["${local.router}.rule=PathPrefix(`/`)"])
      canary_tags = concat(["traefik.enable=false"], [for i in range(2) : "canary-${i}"])
    }
    network {
      port "http" {}
    }
    task "web" {
      driver = "raw_exec"
      config {
        command = "/bin/web"
        args    = ["-alloc", "${NOMAD_ALLOC_ID}", "-name=${local.name}"]
      }
      env = {
        "ROUTER"    = local.router
        "NODE_NAME" = "${node.unique.name}"
      }
    }
  }
  group "api" {
    shutdown_delay = local.delays["api"]
    task "api" {
      driver = "raw_exec"
      config {
        command = upper("/bin/api")
      }
    }
  }
}
