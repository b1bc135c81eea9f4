job "functions" {
  datacenters = split(",", "dc1,dc2")
  group "app" {
    count = max(1, 2)
    task "app" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", format("%s --port %d", "serve", 8080)]
      }
      template {
        data        = file("testdata/ok/files/app.conf")
        destination = "local/app.conf"
      }
      template {
        source      = "local/tpl"
        destination = "secrets/env"
        env         = true
        splay       = "30s"
        once        = true
      }
      kill_timeout = "${1 + 1}m"
    }
  }
}
