job "x" {
  group "web" {
    service {
      name = "a"
      "tags" = ["a"]
    }
  }
}
