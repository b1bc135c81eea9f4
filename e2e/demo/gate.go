package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	nomad "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/e2e/harness"
)

// exampleJob is the job file that people copy, and from which draingate runs here.
const exampleJob = "jobspecs/examples/draingate.nomad.hcl"

// decision is what draingate's status endpoint says of one deployment.
type decision struct {
	Job        string    `json:"job"`
	JobVersion uint64    `json:"jobVersion"`
	Decision   string    `json:"decision"`
	Reason     string    `json:"reason"`
	Message    string    `json:"message"`
	Since      time.Time `json:"since"`
}

// proxySettings is what it says of a Traefik.
type proxySettings struct {
	Version  string
	Settings *struct {
		Source                    string
		RefreshInterval, Throttle struct{ Text string }
		Watch                     bool
	}
}

// gate is a running draingate, known by its status endpoint only.
type gate struct {
	addr string

	mu   sync.Mutex
	last []decision
	// changes are all changes of decisions since it began, in order.
	changes []decision
}

// start registers draingate's example job, with a binary built from this
// source, and waits until it is ready.
func (g *gate) start(ctx context.Context, s *harness.Stack, binary string) error {
	port, err := s.Port()
	if err != nil {
		return err
	}
	g.addr = "127.0.0.1:" + strconv.Itoa(port)
	job, err := parseExample(s, exampleJob, gateVariables(binary, g.addr, s.ConsulAddr))
	if err != nil {
		return err
	}
	if _, _, err := s.Nomad.Jobs().Register(job, (&nomad.WriteOptions{}).WithContext(ctx)); err != nil {
		return fmt.Errorf("register %s: %w", exampleJob, err)
	}
	if err := g.awaitReady(ctx); err != nil {
		return fmt.Errorf("%w; its log ends with: %s", err, taskLog(s, "draingate"))
	}
	return nil
}

// parseExample has Nomad parse a job file of this repository with variables.
func parseExample(s *harness.Stack, file, variables string) (*nomad.Job, error) {
	root, err := harness.Root()
	if err != nil {
		return nil, err
	}
	hcl, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return nil, fmt.Errorf("read an example: %w", err)
	}
	job, err := s.Nomad.Jobs().ParseHCLOpts(&nomad.JobsParseRequest{JobHCL: string(hcl), Canonicalize: true, Variables: variables})
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", file, err)
	}
	return job, nil
}

// gateVariables is the content of a file of variables for the example job.
func gateVariables(binary, listen, consul string) string {
	return fmt.Sprintf("binary = %q\nlisten = %q\nconsul_address = %q\n", binary, listen, consul)
}

// awaitReady waits until draingate has read its first full list.
func (g *gate) awaitReady(ctx context.Context) error {
	return eventually(ctx, "draingate is ready at "+g.addr, func(ctx context.Context) error { return g.get(ctx, "/readyz", nil) })
}

// get decodes an answer of the status endpoint into out, unless it is nil.
func (g *gate) get(ctx context.Context, path string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.addr+path, nil)
	if err != nil {
		return fmt.Errorf("ask draingate: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask draingate: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask draingate for %s: %s", path, resp.Status)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read draingate's %s: %w", path, err)
	}
	return nil
}

// watch asks for all decisions twice a second until ctx ends. While there is
// no answer nothing is known of any deployment.
func (g *gate) watch(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		var all []decision
		if err := g.get(ctx, "/v1/deployments", &all); err != nil {
			all = nil
		}
		g.mu.Lock()
		g.last = all
		g.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// of returns what was last said of a job's version.
func (g *gate) of(job string, version uint64) (decision, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.IndexFunc(g.last, func(d decision) bool { return d.Job == job && d.JobVersion == version })
	if i < 0 {
		return decision{}, false
	}
	return g.last[i], true
}

// proxy says what draingate read from the only Traefik, once it has.
func (g *gate) proxy(ctx context.Context) (string, error) {
	var all []proxySettings
	err := eventually(ctx, "draingate has read the settings of the one Traefik", func(ctx context.Context) error {
		if err := g.get(ctx, "/v1/proxies", &all); err != nil {
			return err
		}
		if len(all) != 1 || all[0].Settings == nil {
			return fmt.Errorf("it sees %d, of which it has read: %+v", len(all), all)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	s := all[0].Settings
	mode := "poll mode"
	if s.Watch {
		mode = "watch mode"
	}
	return fmt.Sprintf("refreshInterval %s, providersThrottleDuration %s, %s, says the %s", s.RefreshInterval.Text, s.Throttle.Text, mode, s.Source), nil
}

// taskLog is the end of what a task printed, for an error message.
func taskLog(s *harness.Stack, task string) string {
	files, _ := filepath.Glob(filepath.Join(s.Dir, "data", "nomad", "alloc", "*", "alloc", "logs", task+".stderr.*"))
	var out []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err == nil {
			out = append(out, string(b[max(0, len(b)-600):]))
		}
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}
