variables {
  image = "example/app:1"
}

variable "name" {
  type = string
}

variable "count" {
  type    = number
  default = 1
}

variable "delay" {
  type    = string
  default = "1s"
}

variable "from_env" {
  type = string
}

variable "tags" {
  type    = list(string)
  default = []
}

job "vars" {
  name = var.name

  group "app" {
    count          = var.count
    shutdown_delay = var.delay

    service {
      name = "${var.name}-${var.from_env}"
      tags = var.tags
      port = "8080"
    }

    task "app" {
      driver       = "docker"
      kill_timeout = "${var.count * 10}s"
      config {
        image = var.image
      }
    }
  }
}
