job "system" {
  type      = "system"
  region    = "eu"
  namespace = "infra"
  priority  = 90

  multiregion {
    region "eu" {
      count = 1
    }
  }
  group "agent" {
    disconnect {
      lost_after = "1h"
    }
    task "agent" {
      driver = "raw_exec"
      config {
        command = "/bin/agent"
      }
      kill_signal = "SIGINT"
    }
    service {
      name = "mesh"
      port = "9000"
      connect {
        sidecar_service {}
      }
    }
  }
}
