variable "needed" {
  type = number
}
variable "other" {
  type = number
}
job "x" {
  group "web" {
    count = var.needed + var.other
  }
}
