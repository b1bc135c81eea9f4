package cli_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli"
	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/model"
)

// version is a deployment of job web.
func version(n uint64, id, nomad string, verb model.Verb, reason model.Reason) model.Record {
	r := held(reason)
	r.Key.Deployment, r.JobVersion, r.Status, r.Decision.Verb = id, n, nomad, verb
	if reason == "Promoted" {
		r.Decision.Conditions = []model.Condition{{Type: model.Promoted, Status: model.True}}
	}
	return r
}

// What is waited for comes about while it is waited for. Each step is made
// once the command has said what it sees.
func TestWaitSeesItComeAbout(t *testing.T) {
	const running, failed, cancelled = model.DeploymentRunning, model.DeploymentFailed, model.DeploymentCancelled
	type step struct {
		record model.Record
		says   string
	}
	waits := version(8, "bbbb0008", running, model.Hold, "WindowRunning")
	promoted := version(8, "bbbb0008", running, model.None, "Promoted")
	tests := map[string]struct {
		first *model.Record
		args  []string
		says  string
		steps []step
		code  int
	}{
		"a deployment that does not exist yet": {
			args: []string{"--version", "8"}, says: "waiting for a deployment of job \"web\"",
			steps: []step{{waits, "Hold WindowRunning"}, {promoted, "None Promoted"}}, code: exit.OK,
		},
		"the one of the version before does not count": {
			first: new(version(7, "bbbb0007", model.DeploymentSuccessful, model.None, "DeploymentEnded")), says: "was over before; waiting 15s",
			steps: []step{{waits, "version 8 is running: Hold WindowRunning"}, {promoted, "None Promoted"}}, code: exit.OK,
		},
		"a newer version takes the place of one that it supersedes": {
			first: new(version(7, "bbbb0007", running, model.Hold, "DrainUnsafe")), says: "version 7 is running: Hold DrainUnsafe",
			steps: []step{{waits, "version 8 is running"}, {version(7, "bbbb0007", cancelled, model.None, "DeploymentEnded"), ""}, {promoted, "None Promoted"}}, code: exit.OK,
		},
		"one that is named and superseded has failed": {
			first: new(version(7, "bbbb0007", running, model.Hold, "DrainUnsafe")), args: []string{"--deployment", "bbbb0007"}, says: "version 7 is running",
			steps: []step{{waits, ""}, {version(7, "bbbb0007", cancelled, model.None, "DeploymentEnded"), "is cancelled"}}, code: exit.Failed,
		},
		"one that fails": {
			first: &waits, says: "Hold WindowRunning", steps: []step{{version(8, "bbbb0008", failed, model.None, "DeploymentEnded"), "is failed"}}, code: exit.Failed,
		},
		"one that Nomad forgets": {
			first: &waits, says: "Hold WindowRunning", steps: []step{{version(8, "bbbb0008", running, model.None, "DeploymentGone"), "DeploymentGone"}}, code: exit.Failed,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := serveStore(t)
			if tt.first != nil {
				e.store.Record(*tt.first)
			}
			var out, errs output
			code := make(chan int, 1)
			args := append([]string{"status", "web", "--wait", "promoted", "--timeout", "1m", "--addr", e.addr}, tt.args...)
			go func() { code <- cli.Program{Stdout: &out, Stderr: &errs}.Main(t.Context(), args) }()
			errs.has(t, tt.says)
			for _, s := range tt.steps {
				e.store.Record(s.record)
				errs.has(t, s.says)
			}
			require.Equal(t, tt.code, <-code, errs.String())
		})
	}
}

// An endpoint that comes back in time is no blindness.
func TestWaitOutlastsARestart(t *testing.T) {
	t.Parallel()
	e := serveStore(t)
	e.store.Record(held("DrainUnsafe"))
	var out, errs output
	code := make(chan int, 1)
	go func() {
		code <- cli.Program{Stdout: &out, Stderr: &errs}.Main(t.Context(), []string{"status", "web", "--wait", "promoted", "--timeout", "1m", "--addr", e.addr})
	}()
	errs.has(t, "Hold DrainUnsafe")
	e.stop()
	errs.has(t, "cannot see job \"web\": the status endpoint cannot be reached")
	e.start()
	e.store.Record(version(7, "aaaa1111-0000", model.DeploymentSuccessful, model.None, "DeploymentEnded"))
	require.Equal(t, exit.OK, <-code, errs.String())
}

// An answer that the end of the time cuts off takes back nothing of what was
// said before, and where none was ever given, nothing was seen.
func TestWaitIsBlindWhereTheTimeCutTheAnswerOff(t *testing.T) {
	for name, whole := range map[string]int32{"the second answer": 1, "the first answer": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				switch {
				case r.URL.Path != "/readyz":
					_, _ = io.WriteString(w, "[]")
				case asked.Add(1) <= whole:
					_, _ = io.WriteString(w, `{"ready": false, "waiting": ["deployments: no list yet"]}`)
				default:
					<-r.Context().Done()
				}
			}))
			t.Cleanup(served.Close)
			var out, errs output
			code := cli.Program{Stdout: &out, Stderr: &errs}.Main(t.Context(), []string{
				"status", "web", "--wait", "promoted", "--timeout", "1200ms", "--addr", strings.TrimPrefix(served.URL, "http://"),
			})
			require.Equal(t, exit.CannotSee, code, errs.String())
		})
	}
}
