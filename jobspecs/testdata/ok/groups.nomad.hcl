job "groups" {
  update {
    canary       = 1
    max_parallel = 2
  }
  constraint {
    operator = "distinct_hosts"
    value    = "false"
  }

  group "a" {
    update {
      canary = 2
    }
    constraint {
      distinct_hosts = true
    }
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/a"
      }
    }
  }

  group "b" {
    count = 2
    scaling {
      min = 1
      max = 5
    }
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/b"
      }
    }
  }

  group "c.d[0]" {
    update {
      max_parallel = 0
      auto_promote = true
    }
    task "main task" {
      driver = "raw_exec"
      config {
        command = "/bin/c"
      }
      restart {
        attempts = 1
      }
    }
    task "poststop" {
      driver = "raw_exec"
      lifecycle {
        hook = "poststop"
      }
      config {
        command = "/bin/d"
      }
    }
  }
}
