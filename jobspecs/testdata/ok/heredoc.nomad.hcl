job "heredoc" {
  group "app" {
    task "app" {
      driver = "docker"
      config {
        image = "nginx"
      }
      template {
        data = <<EOF
{{ range service "web" }}
server {{ .Address }}:{{ .Port }};
{{ end }}
EOF

        destination   = "local/nginx.conf"
        change_mode   = "script"
        change_script {
          command = "/bin/reload"
        }
      }
      template {
        data        = <<-EOF
          indented = ${upper("yes")}
            more
        EOF
        destination = "local/other"
      }
      meta {
        note = <<-EOT
          draingate
        EOT
      }
    }
    service {
      name = "unicode"
      port = "80"
      tags = ["é=ü", "👩‍👩‍👧 family", "after"] /* ünïcödé 🚀 */
    }
  }
}
