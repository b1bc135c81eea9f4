job "taskonly" {
  type = "batch"
  task "alone" {
    driver = "raw_exec"
    config {
      command = "/bin/true"
    }
    kill_timeout = "9s"
    meta {
      k = "v"
    }
    resources {
      network {
        port "old" {
          static = 8081
        }
        port "free" {}
      }
    }
  }
}
