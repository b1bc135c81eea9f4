package lint_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/forecast"
	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/model"
)

// routed is a job with a service behind Traefik and one that is not.
const routed = `job "web" {
  group "web" {
    shutdown_delay = "20s"
    update {
      canary = 1
    }
    network {
      port "http" {}
    }
    service {
      name = "web"
      port = "http"
      tags = ["traefik.enable=true"]
      check {
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }
    }
    service {
      name = "metrics"
      port = "http"
    }
    task "web" {
      driver = "docker"
      service {
        name = "admin"
        port = "http"
        tags = ["traefik.enable=true"]
      }
    }
  }
}
`

func polled() lint.Settings {
	return lint.Settings{Value: model.ProxySettings{ConsulCatalog: true, Prefix: "traefik", RefreshInterval: 15 * time.Second, Throttle: 2 * time.Second}}
}

func TestSimulateEachRoutedService(t *testing.T) {
	name := put(t, "web.nomad.hcl", routed)
	out, err := lint.Simulate(lint.Options{Paths: []string{name}, Settings: polled(), Margin: time.Second}, 5*time.Second)
	require.NoError(t, err)
	require.Len(t, out.Forecasts, 2)
	web, admin := out.Forecasts[0], out.Forecasts[1]
	require.Equal(t, []any{name, 10, "web", "web", "web"}, []any{web.File, web.Line, web.Job, web.Group, web.Service})
	require.Equal(t, forecast.Promotes, web.Gate)
	require.Equal(t, 5*time.Second, web.Deploy.WarmUp)
	require.Equal(t, "admin", admin.Service)
	require.Equal(t, 20*time.Second, admin.Deploy.Lead, "the group's delay comes before a task-level service leaves the catalog")
	require.Zero(t, admin.Deploy.Served)
	require.Zero(t, out.Unrouted)
}

func TestSimulateKeepsWhatItCouldRead(t *testing.T) {
	good, bad := put(t, "web.nomad.hcl", routed), put(t, "bad.nomad.hcl", `job "x" {`)
	empty := put(t, "empty.nomad.hcl", "job \"e\" {\n  group \"e\" {\n    task \"e\" {\n      driver = \"docker\"\n    }\n  }\n}\n")
	out, err := lint.Simulate(lint.Options{Paths: []string{bad, empty, good, "nowhere.hcl"}, Settings: polled()}, 0)
	require.ErrorContains(t, err, "nowhere.hcl")
	require.Len(t, out.Forecasts, 2)
	require.NotEmpty(t, out.Mistakes)
	require.Equal(t, lint.Unreadable, out.Mistakes[0].Rule)
	require.Equal(t, []int{3, 1, 1}, []int{out.Files, out.Unreadable, out.Unrouted})
}

func TestSimulateStopsWhatRunsNow(t *testing.T) {
	now := put(t, "now.nomad.hcl", routed)
	next := put(t, "next.nomad.hcl", `job "web" {
  group "web" {
    update {
      canary = 1
    }
    network {
      port "http" {}
    }
    service {
      name = "web"
      port = "http"
      tags = ["traefik.enable=true"]
      check {
        type     = "tcp"
        interval = "2s"
        timeout  = "1s"
      }
    }
    task "web" {
      driver = "docker"
    }
  }
}
`)
	out, err := lint.Simulate(lint.Options{Paths: []string{next}, Against: []string{now}, Settings: polled(), Margin: time.Second}, 0)
	require.NoError(t, err)
	require.Len(t, out.Forecasts, 1)
	require.Equal(t, 20*time.Second, out.Forecasts[0].Deploy.Served)
	require.Equal(t, forecast.Promotes, out.Forecasts[0].Gate)
}
