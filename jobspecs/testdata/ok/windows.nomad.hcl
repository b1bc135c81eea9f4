job "windows" {
  group "web" {
    shutdown_delay = "3s"
    service {
      tags = ["a",
        "b"]
      port = "80"
    }
    task "web" { driver = "raw_exec" }
  }
}
