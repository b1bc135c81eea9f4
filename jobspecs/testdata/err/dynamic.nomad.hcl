job "x" {
  group "web" {
    dynamic "service" {
      for_each = 7
      content {
        name = "x"
      }
    }
    dynamic "nothing" {
      for_each = []
      content {}
    }
  }
}
