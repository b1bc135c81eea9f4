package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli"
	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"draingate": func() {
		os.Exit(cli.Program{
			Run: stubRunner, Check: stubCheck, Nomad: stubNomad, Overrides: stubOverrides, Fences: newStubFences, Version: "v9.8.7", Environ: os.Environ(),
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		}.Main(context.Background(), os.Args[1:]))
	}})
}

// stubRunner prints what it was told, and fails as STUB says.
func stubRunner(_ context.Context, o options.Run, log io.Writer) error {
	switch os.Getenv("STUB") {
	case "blind":
		return exit.With(exit.CannotSee, errors.New("ask Nomad at 127.0.0.1:1: connection refused"))
	case "internal":
		return errors.Join(errors.New("one"), errors.New("two"))
	default:
		return json.NewEncoder(log).Encode(o)
	}
}

func stubCheck(_ context.Context, _ options.Run, out io.Writer) error {
	_, err := io.WriteString(out, "ok    Nomad: reached\n")
	return err
}

// fileOverrides keeps variables in files of the folder that STUB_VARIABLES names.
type fileOverrides struct{ dir string }

func stubOverrides() (cli.Overrider, error) { return fileOverrides{os.Getenv("STUB_VARIABLES")}, nil }

func (f fileOverrides) file(namespace, jobID string) string {
	return filepath.Join(f.dir, namespace+"-"+strings.ReplaceAll(model.OverridePath(jobID), "/", "-"))
}

func (f fileOverrides) Override(_ context.Context, namespace, jobID string) (map[string]string, error) {
	var items map[string]string
	content, err := os.ReadFile(f.file(namespace, jobID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return items, errors.Join(err, json.Unmarshal(content, &items))
}

func (f fileOverrides) EditOverride(ctx context.Context, namespace, jobID string, edit func(map[string]string)) (map[string]string, error) {
	if os.Getenv("STUB") == "blind" {
		return nil, exit.With(exit.CannotSee, errors.New("read variable: nomad is not reachable"))
	}
	items, err := f.Override(ctx, namespace, jobID)
	if items == nil {
		items = map[string]string{}
	}
	edit(items)
	content, errMarshal := json.Marshal(items)
	return items, errors.Join(err, errMarshal, os.WriteFile(f.file(namespace, jobID), content, 0o600))
}

func (fileOverrides) Knows(_ context.Context, _, jobID string) (bool, error) {
	return jobID == "web", nil
}

// ServiceJobs has two jobs with the service shared, and one with web, shop and
// slow, in each namespace but the empty one.
func (f fileOverrides) ServiceJobs(ctx context.Context, namespace string) ([]*model.Job, error) {
	if os.Getenv("STUB") == "blind" {
		return nil, exit.With(exit.CannotSee, errors.New("list jobs: nomad is not reachable"))
	}
	var out []*model.Job
	for _, id := range []string{"api", "web"} {
		if job, _ := f.Job(ctx, namespace, id); job != nil {
			out = append(out, job)
		}
	}
	return out, nil
}

func (fileOverrides) Job(_ context.Context, namespace, jobID string) (*model.Job, error) {
	group := model.Group{Name: "app", Services: []model.Service{{Name: "shared", Provider: model.ProviderConsul}}}
	switch {
	case jobID == "web" && namespace != "empty":
		group.Services = append(group.Services, model.Service{Name: "inner", Provider: "nomad"})
		group.Tasks = []model.Task{{Name: "server", Services: []model.Service{
			{Name: "web", Provider: model.ProviderConsul}, {Name: "shop", Provider: model.ProviderConsul}, {Name: "slow"}, {Name: "queue"}, {Name: "refused"},
		}}}
	case jobID != "api" || namespace == "empty":
		return nil, nil
	}
	return &model.Job{Namespace: namespace, ID: jobID, Groups: []model.Group{group}}, nil
}

// LatestDeployment knows three jobs by what they are called.
func (fileOverrides) LatestDeployment(_ context.Context, namespace, jobID string) (*model.Deployment, error) {
	d := model.Deployment{ID: "0123abcd-1111-2222-3333-444455556666", Namespace: namespace, JobID: jobID, JobVersion: 7}
	switch {
	case os.Getenv("STUB") == "blind":
		return nil, exit.With(exit.CannotSee, errors.New("read the latest deployment: nomad is not reachable"))
	case jobID == "web":
		d.Status = model.DeploymentPaused
	case jobID == "api":
		d.Status = model.DeploymentRunning
	default:
		return nil, nil
	}
	return &d, nil
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata",
		Setup: setUp,
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits CODE COMMAND ARGS... runs the command and wants this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = failed.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// setUp starts two status endpoints for each script: one with a few
// deployments, and one that is not ready.
func setUp(env *testscript.Env) error {
	ctx, cancel := context.WithCancel(context.Background())
	srv, err := status.Listen(ctx, "127.0.0.1:0", status.NewHandler(status.Options{
		Store: store(), Lint: findings, Fences: fences, Parks: parks, Ready: func() (bool, []string) { return true, nil },
	}))
	if err != nil {
		cancel()
		return err
	}
	early, err := status.Listen(ctx, "127.0.0.1:0", status.NewHandler(status.Options{
		Store: status.NewStore(), Lint: func() ([]status.Finding, error) { return nil, errors.New("not every job was read yet") },
		Ready: func() (bool, []string) { return false, []string{"deployments: no list yet"} },
	}))
	if err != nil {
		cancel()
		return errors.Join(err, srv.Close())
	}
	led, err := status.Listen(ctx, "127.0.0.1:0", status.NewHandler(status.Options{
		Store: store(), Ready: func() (bool, []string) { return true, nil }, Leadership: leadership(model.RoleLeader, "node1/1f2e3d4c"),
	}))
	if err != nil {
		cancel()
		return errors.Join(err, srv.Close(), early.Close())
	}
	leaderless, err := status.Listen(ctx, "127.0.0.1:0", status.NewHandler(status.Options{
		Store: store(), Ready: func() (bool, []string) { return true, nil }, Leadership: leadership(model.RoleFollower, ""),
	}))
	if err != nil {
		cancel()
		return errors.Join(err, srv.Close(), early.Close(), led.Close())
	}
	all := []*status.Server{srv, early, led, leaderless}
	done := make(chan error, len(all))
	for _, s := range all {
		go func() { done <- s.Serve(ctx) }()
	}
	env.Defer(func() {
		cancel()
		for range all {
			<-done
		}
	})
	env.Setenv("LED", led.Addr().String())
	env.Setenv("LEADERLESS", leaderless.Addr().String())
	env.Setenv("ENDPOINT", srv.Addr().String())
	env.Setenv("EARLY", early.Addr().String())
	return nil
}

// fences are one on its way, one whose leader went silent, and one that came to nothing.
func fences() (status.FenceList, error) {
	old := func(alloc, name, node string) status.FencedInstance {
		return status.FencedInstance{Allocation: alloc, Name: name, Group: "app", Node: node, Services: []string{"s-" + node}}
	}
	since := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return status.FenceList{
		Fences: []status.Fence{
			{Namespace: "default", Deployment: "bbbb2222-0000", Job: "web", Step: "armed", Call: "resume", Owner: "node1/1", Locked: true, Pause: true, Written: since,
				Set: []status.FencedInstance{old("a1b2c3d4-1", "web.app[0]", "node1")}, Kept: []status.FencedInstance{old("a1b2c3d4-2", "web.app[1]", "node2")}},
			{Namespace: "default", Deployment: "dddd4444-0000", Job: "api", Step: "fencing", Owner: "node1/1", Written: since},
			{Namespace: "team", Deployment: "eeee5555-0000", Job: "api", Step: "ended", Reason: "FenceAborted", Message: "no proof within 2m\x1b[31m", Owner: "node1/1", Written: since},
		},
		Fencers: []status.Fencer{{Node: "node1", Instance: "AAAA", Acknowledged: []string{"bbbb2222-0000"}}, {Node: "node2", Instance: "BBBB"}},
	}, nil
}

// parks are one of a deploy, one by hand that is in force, one on its way, one that
// ends, and one that is refused.
func parks() (status.ParkList, error) {
	now := time.Now()
	since := now.Add(-4 * time.Second)
	return status.ParkList{
		Now: now,
		Parks: []status.Park{
			{Service: "queue", Namespace: "team", Job: "queue", Step: "leaving", Reason: "ParkExpired", Message: "no instance for 30s (draingate_park)", Since: since,
				Nodes: []status.ParkNode{{Node: "node3"}, {Node: "node1", Present: true, State: "left", Expired: 7, Gone: 2}}},
			{Service: "refused", Reason: "PassiveHealthCheck", Message: "it has a passive health check", Since: since},
			{Service: "shop", Namespace: "default", Job: "web", Step: "parking", Reason: "Paused", ByHand: true, Message: "requests wait", Since: since, Until: now.Add(50 * time.Second),
				Nodes: []status.ParkNode{{Node: "node1", Present: true, State: "in", Waiting: 3, UnderWay: 1}}, Fenced: []status.ParkedInstance{{Node: "node9", ID: "s-1"}}},
			{Service: "slow", Namespace: "default", Job: "web", Step: "parking", Reason: "Pausing", ByHand: true, Message: "placeholders come in", Since: since, Until: now.Add(50 * time.Second),
				Nodes: []status.ParkNode{{Node: "node2", Present: true}}, Fenced: []status.ParkedInstance{{Node: "node9", ID: "s-1"}}},
			{Service: "web", Namespace: "default", Job: "shop", JobVersion: 3, Step: "parking", Reason: "Parked", Message: "no instance for 3s\x1b[31m", Since: since,
				Nodes: []status.ParkNode{{Node: "node1", Present: true, State: "in", Address: "10.0.0.5:21000", Waiting: 12, Peak: 40, Longest: status.Seconds(1500 * time.Millisecond),
					Forwarded: 9, Released: 28, Refused: 1, Failed: 2}}},
		},
		Parkers: []status.Parker{{Node: "node1", Instance: "AAAA", Services: []string{"shop", "web"}}, {Node: "node2", Instance: "BBBB", Problem: "no port is free"}},
	}, nil
}

func findings() ([]status.Finding, error) {
	short := status.Finding{Namespace: "default", Job: "web", JobVersion: 7, Rule: "DG101", Severity: "error", Path: `group["app"].shutdown_delay`,
		Message: "S is 18.1s short\x1b[31m", Remedy: "shutdown_delay = \"20s\"", Proxies: []string{"10.0.0.5:8080"}}
	watch := status.Finding{Namespace: "default", Job: "web", JobVersion: 7, Rule: "DG501", Severity: "warning", Message: "watch = true", Proxies: []string{"10.0.0.5:8080"}}
	queue := status.Finding{Namespace: "team", Job: "queue", JobVersion: 2, Rule: "DG503", Severity: "unknown", Message: "settings: 403"}
	return []status.Finding{watch, short, queue}, nil
}

func leadership(role model.Role, leader string) func() model.Leadership {
	l := model.Leadership{Role: role, Decided: true, Self: model.Instance{Name: "self"}, Problem: "nobody holds the lock at the moment"}
	if leader != "" {
		l.Leader = model.Instance{Name: leader, Since: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
		l.Problem = ""
	}
	return func() model.Leadership { return l }
}

func store() *status.Store {
	s := status.NewStore()
	since := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	add := func(namespace, job, id string, version uint64, d model.Decision) {
		d.Mode = model.ModeEnforce
		s.Record(model.Record{
			Key: model.Key{Namespace: namespace, Deployment: id}, JobID: job, JobVersion: version,
			Status: model.DeploymentRunning, Decision: d, Observed: since, Problem: map[string]string{"team": "promote: 500"}[namespace],
		})
	}
	add("default", "web", "aaaa1111-0000", 6, model.Decision{Verb: model.Promote, Reason: "Safe"})
	add("default", "web", "bbbb2222-0000", 7, model.Decision{
		Verb: model.Hold, Reason: "DrainTooShort",
		Message: "S is 0s and T 18.1s: set shutdown_delay = \"20s\".\x1b[31m",
		Conditions: []model.Condition{
			{Type: model.CanaryHealthy, Status: model.True, Reason: "Healthy", Message: "1 of 1"},
			{Type: model.DrainSafe, Status: model.False, Reason: "DrainTooShort", Message: "18.1s short"},
		},
		Windows: []model.Window{
			{
				Proxy: "10.0.0.5:8080", Group: "app", Service: "web", Allocation: "cccc3333-0000",
				S: 6 * time.Second, T: 18100 * time.Millisecond, L: 3 * time.Second, Margin: time.Second,
				STerms: []model.Term{
					{Name: "shutdown_delay", Source: "allocation's job"},
					{Name: "drain", Value: 6 * time.Second, Source: "draingate_drain", Declared: true},
				},
				TTerms:  []model.Term{{Name: "refreshInterval", Value: 15 * time.Second, Source: "process"}},
				Verdict: model.VerdictUnsafe, Why: "S is 16.1s short",
			},
			{Proxy: "10.0.0.6:8080", Service: "web", Verdict: model.VerdictUnknown, Why: "settings: 403"},
		},
	})
	add("default", "api", "dddd4444-0000", 1, model.Decision{Verb: model.Promote, Reason: "Safe"})
	addWaited(s, since)
	add("team", "api", "eeee5555-0000", 3, model.Decision{Verb: model.Hold, Reason: "ProxyUnknown"})
	return s
}

// addWaited adds what `explain` and `status --wait` are asked about.
func addWaited(s *status.Store, since time.Time) {
	shop := model.Record{
		Key: model.Key{Namespace: "default", Deployment: "ffff6666-0000"}, JobID: "shop", JobVersion: 3, Status: model.DeploymentRunning, Observed: since,
		Groups:   []model.DeploymentGroup{{Name: "app", DesiredTotal: 2, DesiredCanaries: 1, PlacedCanaries: []string{"a1b2c3d4-0000"}, PlacedAllocs: 1, HealthyAllocs: 1}},
		Decision: model.Decision{Verb: model.Hold, Reason: "WindowRunning", Mode: model.ModeEnforce},
	}
	s.Record(shop)
	shop.Observed = since.Add(5 * time.Second)
	shop.Decision.Reason, shop.Decision.Message = "DrainUnsafe", "S = 0s, T = 17.5s"
	shop.Decision.Conditions = []model.Condition{
		{Type: model.CanaryHealthy, Status: model.True, Reason: "AsExpected", Message: "every canary is running"},
		{Type: model.DrainSafe, Status: model.False, Reason: "DrainUnsafe", Message: "18.5s short"},
		{Type: model.Parked, Status: model.True, Reason: "Parked", Message: "service web: no instance"},
	}
	shop.Decision.Windows = []model.Window{{
		Proxy: "10.0.0.5:8080", Group: "app", Service: "shop", Allocation: "cccc3333-0000", T: 17500 * time.Millisecond, Margin: time.Second,
		TTerms:  []model.Term{{Name: "refreshInterval", Value: 15 * time.Second, Source: "process"}, {Name: "providersThrottleDuration", Value: 2 * time.Second, Source: "process"}, {Name: "apply", Value: 500 * time.Millisecond, Source: "constant"}},
		Verdict: model.VerdictUnsafe, Why: "S is 18.5s short of T + L + margin", Cure: model.Cure{Level: "group", Delay: 19 * time.Second},
	}, {
		Proxy: "10.0.0.6:8080", Group: "app", Service: "admin", Allocation: "cccc3333-0000", S: time.Second, T: 17500 * time.Millisecond, Margin: time.Second,
		STerms:  []model.Term{{Name: "task shutdown_delay", Value: time.Second, Source: "job version 2 of allocation cccc3333"}},
		Verdict: model.VerdictUnsafe, Why: "S is 17.5s short", Cure: model.Cure{Level: `task "server"`, Delay: 19 * time.Second},
	}}
	s.Record(shop)
	for id, r := range map[string]model.Record{
		"aaaa0001-0000": {JobID: "good", Status: model.DeploymentSuccessful, Decision: model.Decision{Verb: model.None, Reason: "DeploymentEnded"}},
		"aaaa0002-0000": {JobID: "bad", Status: model.DeploymentFailed, Decision: model.Decision{Verb: model.None, Reason: "DeploymentEnded", Message: "progress deadline"}},
		"aaaa0003-0000": {JobID: "stopped", Status: model.DeploymentCancelled, Decision: model.Decision{Verb: model.None, Reason: "DeploymentEnded"}},
		"aaaa0004-0000": {JobID: "moved", Status: model.DeploymentRunning, Decision: model.Decision{
			Verb: model.None, Reason: "Promoted", Conditions: []model.Condition{{Type: model.Promoted, Status: model.True}},
		}},
		"aaaa0005-0000": {JobID: "watched", Status: model.DeploymentRunning, Decision: model.Decision{Verb: model.Promote, Reason: "PredictedSafe", Mode: model.ModeObserve}},
	} {
		r.Key, r.Observed = model.Key{Namespace: "default", Deployment: id}, since
		s.Record(r)
	}
}

func TestMainPrintsOneLineForManyErrors(t *testing.T) {
	var out, errs writer
	p := cli.Program{Stdout: &out, Stderr: &errs, Run: func(context.Context, options.Run, io.Writer) error {
		return errors.Join(errors.New("one"), errors.New("two"))
	}}
	require.Equal(t, exit.Usage, p.Main(t.Context(), []string{"run", "--traefik-service", "t"}))
	require.Equal(t, "draingate: one; two\n", string(errs))
	require.Empty(t, string(out))
}

func TestRunWithoutARunnerSaysSo(t *testing.T) {
	var errs writer
	p := cli.Program{Stdout: io.Discard, Stderr: &errs}
	require.Equal(t, exit.Usage, p.Main(t.Context(), []string{"run", "--traefik-service", "t"}))
	require.Contains(t, string(errs), "no controller")
}

type writer []byte

func (w *writer) Write(b []byte) (int, error) {
	*w = append(*w, b...)
	return len(b), nil
}
