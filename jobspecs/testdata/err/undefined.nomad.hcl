job "x" {
  group "web" {
    count = var.nope
    shutdown_delay = local.nope
  }
}
