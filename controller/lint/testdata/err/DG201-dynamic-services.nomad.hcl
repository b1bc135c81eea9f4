job "paint" {
  datacenters = ["dc1"]
  group "paint" {
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
    dynamic "service" {
      for_each = ["blue", "green"]
      content {
        name = "paint-${service.value}"
        port = "http"
        tags = ["traefik.enable=true", "traefik.http.routers.${service.value}.rule=Host(`${service.value}.example`)"]
      }
    }
    task "paint" {
      driver = "docker"
      config {
        image = "paint:2"
        ports = ["http"]
      }
    }
  }
}
