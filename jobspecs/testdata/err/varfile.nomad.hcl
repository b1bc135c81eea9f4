variable "a" {}
job "x" {}
