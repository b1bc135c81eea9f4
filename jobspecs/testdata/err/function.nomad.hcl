job "x" {
  group "web" {
    task "t" {
      driver = "raw_exec"
      template {
        data = file("testdata/err/absent.conf")
        destination = nosuch("x")
      }
    }
  }
}
