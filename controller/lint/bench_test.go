package lint_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
)

// benchSpec is an ordinary job of some 100 lines: two groups, three services
// with routers, middlewares and a health check of Traefik's, and what goes with
// them. It has a finding, since most jobs have one.
const benchSpec = `# The {{.}} service and its worker.
job "{{.}}" {
  datacenters = ["dc1"]

  meta {
    draingate_mode        = "enforce"
    draingate_max_request = "2s"
  }

  group "web" {
    count          = 3
    shutdown_delay = "15s"

    update {
      canary           = 3
      max_parallel     = 1
      min_healthy_time = "10s"
      healthy_deadline = "5m"
    }

    network {
      port "http" {
        to = 8080
      }
      port "admin" {
        to = 9090
      }
    }

    service {
      name = "{{.}}"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.{{.}}.rule=Host(` + "`{{.}}.example`" + `)",
        "traefik.http.routers.{{.}}.entrypoints=websecure",
        "traefik.http.routers.{{.}}.middlewares={{.}}-retry,{{.}}-headers",
        "traefik.http.middlewares.{{.}}-retry.retry.attempts=3",
        "traefik.http.middlewares.{{.}}-retry.retry.initialinterval=100ms",
        "traefik.http.middlewares.{{.}}-headers.headers.stsseconds=31536000",
        "traefik.http.services.{{.}}.loadbalancer.healthcheck.path=/readyz",
        "traefik.http.services.{{.}}.loadbalancer.healthcheck.interval=2s",
      ]

      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }

    service {
      name = "{{.}}-admin"
      port = "admin"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.{{.}}-admin.rule=Host(` + "`admin.{{.}}.example`" + `)",
        "traefik.http.routers.{{.}}-admin.entrypoints=internal",
      ]

      check {
        name     = "admin"
        type     = "http"
        path     = "/healthz"
        interval = "5s"
        timeout  = "2s"
      }
    }

    task "web" {
      driver       = "docker"
      kill_timeout = "10s"

      config {
        image = "registry.example/{{.}}:${var.release}"
        ports = ["http", "admin"]
      }

      env {
        PORT      = "8080"
        LOG_LEVEL = "info"
      }

      template {
        destination = "local/{{.}}.env"
        change_mode = "noop"
        data        = "REGION={{"{{"}} env \"NOMAD_REGION\" {{"}}"}}"
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }

  group "worker" {
    count = 2

    task "worker" {
      driver = "docker"

      config {
        image   = "registry.example/{{.}}:${var.release}"
        command = "worker"
      }
    }
  }
}

variable "release" {
  type    = string
  default = "1.0.0"
}
`

// benchFolder has so many bytes of job specifications in it.
func benchFolder(b *testing.B, size int) (folder string, files int) {
	b.Helper()
	spec := template.Must(template.New("spec").Parse(benchSpec))
	folder = b.TempDir()
	for size > 0 {
		var out bytes.Buffer
		require.NoError(b, spec.Execute(&out, fmt.Sprintf("service-%05d", files)))
		require.NoError(b, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d.nomad.hcl", files)), out.Bytes(), 0o600))
		size -= out.Len()
		files++
	}
	return folder, files
}

// BenchmarkRun reads a folder and applies all rules. Its time must be linear in
// the size, and the memory must not grow with it.
func BenchmarkRun(b *testing.B) {
	for _, size := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprintf("%dMB", size), func(b *testing.B) { runFolder(b, size*1_000_000) })
	}
}

// mostMiB is how much memory 50 MB of job specifications may take.
const mostMiB = 256

// BenchmarkFiftyMegabytes fails where that takes too much memory.
func BenchmarkFiftyMegabytes(b *testing.B) {
	if peak := runFolder(b, 50_000_000); peak > mostMiB {
		b.Fatalf("50 MB of job specifications took %.0f MiB, and may take %d", peak, mostMiB)
	}
}

// runFolder reports specifications a second and the most memory that the
// process had at a time, in MiB, which it also returns.
func runFolder(b *testing.B, size int) float64 {
	folder, files := benchFolder(b, size)
	settings, err := lint.ReadSettings(b.Context(), lint.Traefik{Version: "3.6.12", Config: "testdata/traefik.yml"})
	require.NoError(b, err)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	defer debug.SetGCPercent(debug.SetGCPercent(lint.GCPercent)) // as the command does
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(lint.MemoryLimit))
	peak := sampled(b)
	for b.Loop() {
		result, err := lint.Run(lint.Options{Paths: []string{folder}, Settings: settings, Margin: time.Second})
		require.NoError(b, err)
		require.Equal(b, files, result.Files)
		require.Len(b, result.Findings, 2*files)
	}
	b.StopTimer()
	most := peak()
	b.ReportMetric(float64(files*b.N)/b.Elapsed().Seconds(), "specs/s")
	b.ReportMetric(most, "peak-MiB")
	return most
}

// sampled measures the memory that the runtime has from the system and has not
// given back, 200 times a second, until the returned function is called.
func sampled(b *testing.B) (peak func() float64) {
	b.Helper()
	runtime.GC()
	stop, done := make(chan struct{}), make(chan float64)
	go func() {
		s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		var most uint64
		for {
			metrics.Read(s)
			most = max(most, s[0].Value.Uint64()-s[1].Value.Uint64())
			select {
			case <-stop:
				done <- float64(most) / (1 << 20)
				return
			case <-tick.C:
			}
		}
	}()
	return func() float64 { close(stop); return <-done }
}
