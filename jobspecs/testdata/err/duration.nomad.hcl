job "x" {
  group "web" {
    shutdown_delay = "15 seconds"
    count          = "three"
    task "t" {
      driver       = "raw_exec"
      kill_timeout = "1x"
    }
  }
}
