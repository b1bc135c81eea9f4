job "shard" {
  datacenters = ["dc1"]
  group "shard" {
    count          = 2
    shutdown_delay = "20s"
    update {
      canary = 2
    }
    network {
      port "http" {
        to = 8080
      }
    }
    service {
      name = "shard"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.shard.rule=Host(`${NOMAD_ALLOC_INDEX}.shard.example`)",
      ]
      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "shard" {
      driver = "docker"
      config {
        image = "shard:2"
        ports = ["http"]
      }
    }
  }
}
