//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/draingate/draingate/e2e/harness"
)

// Deploys whose old instances end at once on the stop signal, without any delay,
// retry or drain: the fence alone keeps them from losing a request.
func TestFence(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		proxies []harness.TraefikOptions
		job     harness.Sample
	}{
		"one instance":        {proxies: []harness.TraefikOptions{{RefreshInterval: 15 * time.Second}}},
		"three instances":     {proxies: []harness.TraefikOptions{{RefreshInterval: 15 * time.Second}}, job: harness.Sample{Count: 3, Canary: 3}},
		"one canary of three": {proxies: []harness.TraefikOptions{{RefreshInterval: 2 * time.Second}}, job: harness.Sample{Count: 3, Canary: 1}},
	}
	for name, c := range cases {
		for i := range times(t) {
			t.Run(fmt.Sprintf("%s/%d", name, i+1), func(t *testing.T) {
				t.Parallel()
				s := Shared(t)
				through := proxies(t, s, 1, c.proxies[0])
				g := gate(t, s, through)
				job := c.job
				job.Name, job.Warmup = s.Name("fence"), warmup
				begin(t, s, job, through, nil).losesNothing(g)
			})
		}
	}
}
