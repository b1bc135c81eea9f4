job "x" {
  group "web" {
    cuont = 3
    service {
      prot = "http"
    }
    task "t" {
      driver    = "raw_exec"
      kill_timout = "3s"
    }
  }
}
