job "volumes" {
  group "db" {
    count = 2
    volume "data" {
      type            = "csi"
      source          = "db"
      access_mode     = "single-node-writer"
      attachment_mode = "file-system"
      per_alloc       = true
      mount_options {
        fs_type = "ext4"
      }
    }
    volume "host" {
      type        = "host"
      source      = "scratch"
      sticky      = true
      access_mode = "single-node-single-writer"
    }
    volume "certs" {
      type      = "host"
      source    = "certs"
      read_only = true
    }
    network {
      mode = "host"
      port "db" {
        static       = 5432
        to           = 5432
        host_network = "private"
      }
    }
    task "db" {
      driver = "docker"
      config {
        image = "postgres"
      }
      volume_mount {
        volume      = "data"
        destination = "/data"
      }
      volume_mount {
        volume      = "certs"
        destination = "/certs"
        read_only   = true
      }
      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
