job "x" {
  group "web" {
    count = = 3
  }
