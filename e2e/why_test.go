//go:build e2e

package e2e

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// change is what a stream, and a webhook, tell of a change.
type change struct {
	ID, Type, Job, Decision, Reason string
	JobVersion                      uint64
}

// changes are those that came so far.
type changes struct {
	mu   sync.Mutex
	list []change
}

func (c *changes) add(e change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, e)
}

// decisions are those of version 1 of a job, in the order in which they came.
func (c *changes) decisions(job string) []change {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []change
	for _, e := range c.list {
		if e.Type == "decision" && e.Job == job && e.JobVersion == 1 {
			out = append(out, e)
		}
	}
	return out
}

func (c *changes) reasons(job string) []string {
	var out []string
	for _, e := range c.decisions(job) {
		out = append(out, e.Reason)
	}
	return out
}

// receiver is a webhook that takes what is signed with the key, and refuses
// each event the first time, so that all are sent again.
func receiver(t *testing.T, key string) (*httptest.Server, *changes) {
	t.Helper()
	var got changes
	var mu sync.Mutex
	refused := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		id := r.Header.Get("webhook-id")
		mac := hmac.New(sha256.New, []byte(key))
		_, _ = io.WriteString(mac, id+"."+r.Header.Get("webhook-timestamp")+"."+string(body))
		if err != nil || r.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			t.Errorf("a request that is not signed: %v", r.Header)
		}
		mu.Lock()
		defer mu.Unlock()
		if !refused[id] {
			refused[id] = true
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var e change
		if err := json.Unmarshal(body, &e); err != nil || e.ID != id {
			t.Errorf("body %s of event %s: %v", body, id, err)
		}
		got.add(e)
	}))
	t.Cleanup(server.Close)
	return server, &got
}

// stream follows the events of a controller until the case ends.
func stream(t *testing.T, c *controller) *changes {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.addr+"/v1/events?after=0", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	var got changes
	var reading sync.WaitGroup
	reading.Go(func() {
		lines := bufio.NewScanner(res.Body)
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var e change
				if err := json.Unmarshal([]byte(data), &e); err != nil {
					t.Errorf("event %s: %v", data, err)
				}
				got.add(e)
			}
		}
	})
	t.Cleanup(func() { _ = res.Body.Close(); reading.Wait() })
	return &got
}

// command runs draingate against the controller and returns its exit code and
// what it printed.
func (c *controller) command(args ...string) (int, string) {
	c.t.Helper()
	return draingate(c.t, c.stack, nil, append(args, "--addr", c.addr)...)
}

// newestVersion asks as docs/exit-codes.md says.
func newestVersion(t *testing.T, s *harness.Stack, job string) string {
	t.Helper()
	bins, err := harness.Binaries(t.Context(), io.Discard)
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), bins.Nomad, "job", "inspect", "-address=http://"+s.NomadAddr, "-t", "{{.Version}}", job).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

// What CI asks, what the stream tells and what the webhook gets, of a deploy
// that is promoted and of one that is held.
func TestWhy(t *testing.T) {
	t.Parallel()
	s := Shared(t)
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("hunter2\n"), 0o600))
	hook, posted := receiver(t, "hunter2")
	through := proxies(t, s, 1, harness.TraefikOptions{RefreshInterval: 2 * time.Second})
	c := gate(t, s, through, "--webhook-url", hook.URL, "--webhook-secret-file", key, "--fence", "never")
	told := stream(t, c)

	held := begin(t, s, harness.Sample{Name: s.Name("whyheld"), Warmup: brief}, through, nil)
	good := begin(t, s, harness.Sample{Name: s.Name("whygood"), Warmup: brief, ShutdownDelay: 8 * time.Second}, through, nil)
	version := newestVersion(t, s, good.job.Name)
	require.Equal(t, "1", version)
	code, out := c.command("status", good.job.Name, "--wait", "promoted", "--version", version, "--timeout", "3m")
	require.Zero(t, code, out)
	good.losesNothing(c)

	c.holds(held.job.Name, "DrainUnsafe")
	code, out = c.command("status", held.job.Name, "--wait", "promoted", "--version", "1", "--timeout", "3s")
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "is held: DrainUnsafe")
	code, out = c.command("explain", held.job.Name)
	require.Zero(t, code, out)
	require.Regexp(t, `(?m)^It is held: DrainUnsafe`, out)
	require.Regexp(t, `(?m)^      shutdown_delay = "\d+s"$`, out)
	t.Log(out)
	held.keepsServing(c, 2*time.Second)

	for _, d := range []*deploy{good, held} {
		require.Eventually(t, func() bool { return len(posted.decisions(d.job.Name)) == len(told.decisions(d.job.Name)) }, 30*time.Second, 100*time.Millisecond)
		t.Log(d.job.Name, told.reasons(d.job.Name))
		require.Equal(t, told.decisions(d.job.Name), posted.decisions(d.job.Name), "the webhook gets each change once, in order")
	}
	promoted := told.reasons(good.job.Name)
	require.Equal(t, []string{"WindowRunning", "PredictedSafe", "Promoted"}, only(promoted, "WindowRunning", "PredictedSafe", "Promoted"), "%v", promoted)
	require.Contains(t, told.reasons(held.job.Name), "DrainUnsafe")
	require.NotContains(t, told.reasons(held.job.Name), "PredictedSafe")
}

// only keeps the words that are wanted, each where it first stands.
func only(list []string, wanted ...string) []string {
	seen := map[string]bool{}
	var out []string
	for _, word := range list {
		for _, w := range wanted {
			if word == w && !seen[w] {
				seen[w] = true
				out = append(out, w)
			}
		}
	}
	return out
}
