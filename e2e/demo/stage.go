package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/e2e/harness"
)

// stage is what all acts run on.
type stage struct {
	stack *harness.Stack
	proxy *harness.Traefik
	gate  *gate
	rate  int
	// running are goroutines that end with the context they were given.
	running sync.WaitGroup
}

// performance is an act and its two sides.
type performance struct {
	act   act
	sides [2]*side
	// ready is closed once version 1 runs on both sides, or, with err, could not.
	ready chan struct{}
	err   error
}

// cast makes the jobs of an act and starts to deploy version 1 of both.
func (st *stage) cast(ctx context.Context, a act) *performance {
	p := &performance{act: a, ready: make(chan struct{})}
	var both errgroup.Group
	for i := range p.sides {
		gated := i == 1
		s := &side{stage: st, act: a, gated: gated, job: a.job(gated)}
		p.sides[i] = s
		both.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
			defer cancel()
			return st.stack.Deployed(ctx, s.job)
		})
	}
	st.running.Go(func() {
		p.err = both.Wait()
		close(p.ready)
	})
	return p
}

// awaitReady waits until version 1 runs on both sides.
func (p *performance) awaitReady() error {
	<-p.ready
	return p.err
}

// awaitRouted waits until Traefik routes to version 1 of both sides.
func (p *performance) awaitRouted(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, comesWithin)
	defer cancel()
	for _, s := range p.sides {
		instances, err := s.instances(ctx, func(i harness.Instance) bool { return !i.Terminal() })
		if err == nil {
			err = harness.AwaitRouted(ctx, instances, s.stage.proxy)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cues are what the sides of an act tell each other.
type cues struct {
	// over is closed when the span of Nomad's side has ended.
	over chan struct{}
	// cure gets the shutdown_delay that draingate's side is cured with.
	cure chan time.Duration
}

// play runs the act on both sides at once.
func (p *performance) play(ctx context.Context) ([]result, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*comesWithin)
	defer cancel()
	results := make([]result, len(p.sides))
	told := cues{over: make(chan struct{}), cure: make(chan time.Duration, 1)}
	both, ctx := errgroup.WithContext(ctx)
	for i, s := range p.sides {
		both.Go(func() error {
			r, err := s.play(ctx, told)
			results[i] = r
			if !s.gated {
				close(told.over)
			}
			return err
		})
	}
	return results, both.Wait()
}

// strike purges the jobs of an act whose loads have ended, and does not wait
// for the end of their tasks.
func (p *performance) strike(ctx context.Context) error {
	for _, s := range p.sides {
		_, _, err := s.stage.stack.Nomad.Jobs().DeregisterOpts(s.job.Name,
			&nomad.DeregisterOptions{Purge: true, NoShutdownDelay: true}, (&nomad.WriteOptions{}).WithContext(ctx))
		if err != nil {
			return fmt.Errorf("purge job %s: %w", s.job.Name, err)
		}
	}
	return nil
}

// longestParent is the longest path below which the task API's socket of
// draingate has a path that every system accepts, 103 bytes and a zero on macOS
// (unix(4)): <parent>/dg-<10 digits>/data/nomad/alloc/<36>/draingate/secrets/api.sock.
const longestParent = 103 - len("/dg-1234567890/data/nomad/alloc/12345678-1234-1234-1234-123456789012/draingate/secrets/api.sock")

// makeDir makes the directory of the stack, in the folder for temporary files
// or, where the path of that is too long, in /tmp.
func makeDir() (string, error) {
	dir, err := os.MkdirTemp(parentDir(os.TempDir()), "dg-")
	if err != nil {
		return "", fmt.Errorf("make a folder with a short path, as sockets need it (set TMPDIR to one): %w", err)
	}
	return dir, nil
}

func parentDir(temporary string) string {
	if len(temporary) > longestParent {
		return "/tmp"
	}
	return temporary
}

// buildGate builds draingate from this source, beside the sample service, and
// so where the stack cleans up.
func buildGate(ctx context.Context, s *harness.Stack) (string, error) {
	root, err := harness.Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(s.SampleBinary()), "draingate")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/draingate")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "GOFLAGS=", "GOWORK=off", "PWD="+root)
	// The go tool removes its temporary files on an interrupt, and not when it
	// is killed.
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, 5*time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build draingate: %w\n%s", err, out)
	}
	return path, nil
}

// versions asks the binaries for theirs.
func versions(ctx context.Context, bins harness.Bins) (string, error) {
	var out []string
	for _, b := range []struct{ name, path string }{{"Nomad", bins.Nomad}, {"Consul", bins.Consul}, {"Traefik", bins.Traefik}} {
		text, err := exec.CommandContext(ctx, b.path, "version").Output()
		if err != nil {
			return "", fmt.Errorf("ask %s for its version: %w", b.path, err)
		}
		out = append(out, b.name+" "+versionIn(string(text)))
	}
	return strings.Join(out, ", "), nil
}

// versionIn is the second word of what the three print, such as "Nomad v1.2.3"
// or "Version:      1.2.3".
func versionIn(text string) string {
	words := strings.Fields(text)
	if len(words) < 2 {
		return "of unknown version"
	}
	return strings.TrimPrefix(words[1], "v")
}
