job "ledgerdb" {
  datacenters = ["dc1"]
  group "db" {
    count          = 1
    shutdown_delay = "20s"
    update {
      canary = 1
    }
    network {
      port "pg" {
        to = 5432
      }
    }
    service {
      name = "ledgerdb"
      port = "pg"
      tags = [
        "primary",
      ]
    }
    task "db" {
      driver = "docker"
      config {
        image = "postgres:18"
      }
    }
  }
}
