package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	nomad "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/e2e/harness"
)

// warmup is how long a new instance answers 503 to its check, and 425 to the
// rest.
const warmup = 5 * time.Second

// programs are the paths of what stands before the job.
type programs struct{ caddy, kamal, draingate string }

// scene is one deploy behind one front.
type scene struct {
	stack    *harness.Stack
	programs programs
	rate     int
	sleep    time.Duration
	job      harness.Sample
	// old is the instance of the first version.
	old harness.Instance
	// prefix is that of the tags which this scene's Traefik reads, and the name
	// of whatever else is to be one of a kind.
	prefix string
}

// measure deploys a second version of a job behind a front, under load.
func (sc *scene) measure(ctx context.Context, w way) (result, error) {
	if err := sc.first(ctx, w); err != nil {
		return result{}, err
	}
	f, err := w.open(ctx, sc)
	if err != nil {
		return result{}, err
	}
	r, err := sc.under(ctx, f)
	r.way = w.name
	return r, errors.Join(err, f.close(), sc.stack.Purge(ctx, sc.job.Name))
}

// first deploys the first version.
func (sc *scene) first(ctx context.Context, w way) error {
	sc.prefix = sc.stack.Name("compare")
	job := harness.Sample{Name: sc.stack.Name("writer"), Version: "1", Warmup: warmup, Sleep: sc.sleep, NoCanary: true}
	var err error
	if job.Writer, err = sc.stack.NewWriter(); err != nil {
		return err
	}
	if job.Worklog, err = sc.stack.NewWorklog(); err != nil {
		return err
	}
	if w.fixed {
		if job.Port, err = sc.stack.Port(); err != nil {
			return err
		}
	}
	job.Tags = job.Route(sc.prefix)
	w.shape(&job)
	sc.job = job
	if err := sc.stack.Deployed(ctx, job); err != nil {
		return err
	}
	all, err := sc.stack.Instances(ctx, job.Name)
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("%s has %d instances after its first deploy, want 1", job.Name, len(all))
	}
	if err != nil {
		return err
	}
	sc.old = all[0]
	return nil
}

// under runs the deploy under load.
func (sc *scene) under(ctx context.Context, f front) (result, error) {
	err := eventually(ctx, "the first version answers through the proxy", func(ctx context.Context) error {
		return answers(ctx, f.entry()+"/", sc.job.Host())
	})
	if err != nil {
		return result{}, err
	}
	get, err := sc.load(f, http.MethodGet, "")
	if err != nil {
		return result{}, err
	}
	defer get.Stop()
	post, err := sc.load(f, http.MethodPost, strings.Repeat("b", 1<<10))
	if err != nil {
		return result{}, err
	}
	defer post.Stop()
	if err := sc.second(ctx, f); err != nil {
		return result{}, err
	}
	return sc.sum(get.Stop(), post.Stop())
}

func (sc *scene) load(f front, method, body string) (*harness.Load, error) {
	return harness.StartLoad(harness.LoadOptions{
		URL: f.entry() + "/", Host: sc.job.Host(), Method: method, Body: body,
		Rate: sc.rate / 2, Status: http.StatusOK, ID: strings.ToLower(method),
	})
}

// The load runs for a while before and after the deploy.
const (
	before = 3 * time.Second
	after  = 10 * time.Second
)

// second deploys the second version and waits for the end of what it can lose.
func (sc *scene) second(ctx context.Context, f front) error {
	if err := pause(ctx, before); err != nil {
		return err
	}
	job := sc.job
	job.Version = "2"
	if err := f.deploy(ctx, func(ctx context.Context) error { return sc.stack.Submit(ctx, job) }); err != nil {
		return err
	}
	_, err := sc.stack.AwaitDeployment(ctx, job.Name, "a successful deployment of version 1", func(d *nomad.Deployment) bool {
		return d != nil && d.JobVersion == 1 && d.Status == nomad.DeploymentStatusSuccessful
	})
	if err != nil {
		return err
	}
	if err := sc.stack.AwaitEnded(ctx, job.Name, []harness.Instance{sc.old}); err != nil {
		return err
	}
	return pause(ctx, after)
}

// next waits until an instance of the second version has an address.
func (sc *scene) next(ctx context.Context) (harness.Instance, error) {
	var next harness.Instance
	err := eventually(ctx, "Nomad places the second version", func(ctx context.Context) error {
		all, err := sc.stack.Instances(ctx, sc.job.Name)
		if err != nil {
			return err
		}
		for _, i := range all {
			if i.Version == 1 && i.Addr != "" {
				next = i
				return nil
			}
		}
		return errors.New("there is none")
	})
	return next, err
}

// passing waits until it passes its check in Consul.
func (sc *scene) passing(ctx context.Context) (harness.Instance, error) {
	next, err := sc.next(ctx)
	if err != nil {
		return next, err
	}
	return next, eventually(ctx, "the second version passes its check", func(context.Context) error {
		entries, _, err := sc.stack.Consul.Health().Service(sc.job.Name, "", true, nil)
		if err != nil {
			return fmt.Errorf("ask Consul for %s: %w", sc.job.Name, err)
		}
		for _, e := range entries {
			if fmt.Sprintf("%s:%d", e.Service.Address, e.Service.Port) == next.Addr {
				return nil
			}
		}
		return fmt.Errorf("none of %d is at %s", len(entries), next.Addr)
	})
}

// ports are two that nobody uses.
func (sc *scene) ports() (first, second int, err error) {
	if first, err = sc.stack.Port(); err != nil {
		return 0, 0, err
	}
	second, err = sc.stack.Port()
	return first, second, err
}

// sum is what became of all requests, by who was asked and by who wrote.
func (sc *scene) sum(get, post harness.LoadReport) (result, error) {
	journal, err := sc.job.Writer.Journal()
	if err != nil {
		return result{}, err
	}
	worked, err := sc.job.Worklog.Worked()
	if err != nil {
		return result{}, err
	}
	r := result{get: get, post: post, overlap: harness.Overlap(journal)}
	for _, n := range worked {
		if n > 1 {
			r.twice++
		}
	}
	return r, nil
}
