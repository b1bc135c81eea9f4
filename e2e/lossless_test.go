//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// The deploys that draingate promotes: none may lose a request. Unless a case
// says otherwise the process exits at once on the stop signal, and there is no
// retry and no health check of Traefik's own.
func TestLossless(t *testing.T) {
	t.Parallel()
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte("s3cret\n"), 0o600))
	cases := map[string]struct {
		proxies int
		traefik harness.TraefikOptions
		job     harness.Sample
		tags    func(harness.Sample, string) []string
		args    []string
	}{
		"refreshInterval 15s and shutdown_delay 20s": {
			proxies: 1, traefik: harness.TraefikOptions{RefreshInterval: 15 * time.Second},
			job: harness.Sample{ShutdownDelay: 20 * time.Second},
		},
		"two Traefik instances with refreshInterval 2s and shutdown_delay 6s": {
			proxies: 2, traefik: harness.TraefikOptions{RefreshInterval: 2 * time.Second, Args: true},
			job: harness.Sample{ShutdownDelay: 6 * time.Second},
		},
		"a health check, retry and 6s of declared drain": {
			proxies: 1, traefik: harness.TraefikOptions{RefreshInterval: 2 * time.Second},
			job: harness.Sample{Drain: 6 * time.Second, KillTimeout: 15 * time.Second, Meta: map[string]string{"draingate_drain": "6s"}},
			tags: func(j harness.Sample, prefix string) []string {
				return j.Route(prefix, append(j.HealthCheckTags(time.Second), j.RetryTags(4, 100*time.Millisecond)...)...)
			},
		},
		"requests that take 2s": {
			proxies: 1, traefik: harness.TraefikOptions{RefreshInterval: 2 * time.Second},
			job: harness.Sample{Sleep: 2 * time.Second, ShutdownDelay: 9 * time.Second, Meta: map[string]string{"draingate_max_request": "3s"}},
		},
		"an API with credentials and a base path": {
			proxies: 1, traefik: harness.TraefikOptions{RefreshInterval: 2 * time.Second, User: "gate", Password: "s3cret", BasePath: "/hidden"},
			job:  harness.Sample{ShutdownDelay: 6 * time.Second},
			args: []string{"--traefik-api-user", "gate", "--traefik-api-password-file", password, "--traefik-api-base-path", "/hidden"},
		},
		"three instances replaced one by one": {
			proxies: 1, traefik: harness.TraefikOptions{RefreshInterval: 2 * time.Second},
			job: harness.Sample{Count: 3, ShutdownDelay: 6 * time.Second},
		},
	}
	for name, c := range cases {
		for i := range times(t) {
			t.Run(fmt.Sprintf("%s/%d", name, i+1), func(t *testing.T) {
				t.Parallel()
				s := Shared(t)
				through := proxies(t, s, c.proxies, c.traefik)
				g := gate(t, s, through, c.args...)
				job := c.job
				job.Name, job.Warmup = s.Name("lossless"), brief
				if c.tags != nil {
					job.Tags = c.tags(job, through[0].Options.Prefix)
				}
				begin(t, s, job, through, nil).losesNothing(g)
			})
		}
	}
}
