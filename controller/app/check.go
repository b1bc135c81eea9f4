package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/observe"
)

// checkTimeout bounds each question of a check.
const checkTimeout = 5 * time.Second

// question is one thing that a run needs: what it is, and how to find out. The
// answer is for people.
type question struct {
	what string
	ask  func(context.Context) (string, error)
}

// warning is an error of a question that fails nothing: something is not known, or
// less is granted than could come to be needed.
type warning string

func (w warning) Error() string { return string(w) }

// Check asks once for everything that a run with these options would need, and
// writes a line for each answer. It promotes nothing; where there is an election
// it opens a session in Consul and ends it. The error, with an exit code of
// package exit, says how many answers were bad.
func Check(ctx context.Context, o options.Run, out io.Writer) error {
	a, err := connected(o, io.Discard, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	defer a.nomad.Close()
	bad := 0
	for _, q := range append(a.questions(), a.aboutProxies(ctx)...) {
		ok, err := a.answer(ctx, q, out)
		if err != nil {
			return err
		}
		if !ok {
			bad++
		}
	}
	if bad > 0 {
		return exit.With(exit.CannotSee, fmt.Errorf("%d of the checks failed: as it is, nothing that needs them would be promoted", bad))
	}
	return nil
}

// answer asks and writes what came of it.
func (a *App) answer(ctx context.Context, q question, out io.Writer) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	mark, text := "ok  ", ""
	err := ask(ctx, func(ctx context.Context) error {
		var err error
		text, err = q.ask(ctx)
		if doubt, is := errors.AsType[warning](err); is {
			mark, text = "warn", strings.TrimPrefix(text+"; "+string(doubt), "; ")
			return nil
		}
		return err
	})
	if err != nil {
		mark, text = "FAIL", strings.Join(strings.Fields(err.Error()), " ")
	}
	_, failed := fmt.Fprintf(out, "%s  %s: %s\n", mark, q.what, text)
	return err == nil, failed
}

func (a *App) questions() []question {
	out := []question{
		{"Nomad at " + a.nomad.Address(), func(ctx context.Context) (string, error) {
			return "deployments of all namespaces can be listed", a.nomad.Check(ctx)
		}},
		{"Nomad's agent", func(ctx context.Context) (string, error) {
			region, datacenter, err := a.nomad.Agent(ctx)
			return fmt.Sprintf("region %s, datacenter %s; jobs elsewhere are not gated", region, datacenter), err
		}},
		{"Nomad Variables", func(ctx context.Context) (string, error) {
			_, err := a.nomad.Overrides(ctx, "default", model.EveryJob)
			return model.OverrideFolder + "/* can be read in namespace default", err
		}},
		{"Nomad's promotion", func(context.Context) (string, error) {
			return "not tried, as there is no way to without promoting; the token needs promote-deployment, before Nomad 1.11.2 submit-job", nil
		}},
		{"Consul at " + a.consul.Address(), func(ctx context.Context) (string, error) { return "the catalog can be read", a.askConsul(ctx) }},
		{"Consul's catalog", func(ctx context.Context) (string, error) {
			load, err := a.consul.MeasureLoad(ctx)
			return fmt.Sprintf("%d services, loaded in %s", load.Services, load.Took.Round(time.Millisecond)), err
		}},
	}
	if elects(a.options) {
		out = append(out, question{"The election", a.askElection})
	}
	return slices.Concat(out, a.aboutFence(), a.aboutPark(), a.aboutServices())
}

// askElection opens a session and ends it, reads who holds the lock, and asks
// whether the token may write it. Taking it could take it from another.
func (a *App) askElection(ctx context.Context) (string, error) {
	key := a.options.Leader.Key
	session, err := a.consul.OpenSession(ctx, "draingate check", a.options.Leader.TTL, 0)
	if err != nil {
		return "", err
	}
	lock, err := a.consul.Lock(ctx, key, 0, 0)
	err = errors.Join(err, a.consul.CloseSession(ctx, session))
	held := "nobody holds " + key
	if lock.Session != "" {
		held = "another instance holds " + key
	}
	if err != nil {
		return "", err
	}
	can, err := a.askKey(ctx, key)
	return "a session can be held; " + held + ", and it " + can + "; taking it was not tried", err
}

// aboutProxies has a question for each Traefik, or one for the lack of any.
func (a *App) aboutProxies(ctx context.Context) []question {
	ctx, cancel := context.WithTimeout(ctx, observe.DefaultPassTimeout)
	defer cancel()
	set := a.observer.Proxies(ctx)
	if !set.Known() || len(set.Value) == 0 {
		return []question{{"The Traefik instances", func(context.Context) (string, error) {
			if set.Known() {
				return "", errors.New("there is none: --traefik-service must name a Consul service that has instances, --traefik-url names one each")
			}
			return "", errors.New(set.Err)
		}}}
	}
	out := make([]question, 0, len(set.Value))
	for _, p := range set.Value {
		out = append(out, question{"Traefik " + p.Name, func(context.Context) (string, error) { return aboutProxy(p) }})
	}
	return out
}

// aboutProxy is an error where anything of the proxy is not known.
func aboutProxy(p model.Proxy) (string, error) {
	for _, problem := range []string{p.Started.Err, p.Ambiguous, p.Routing.Err, p.Settings.Err} {
		if problem != "" {
			return "", errors.New(problem)
		}
	}
	s := p.Settings.Value
	if !s.ConsulCatalog {
		return "", errors.New("its Consul catalog provider is not enabled, so none of its routers can be gated")
	}
	return fmt.Sprintf("version %s, %d routers; by its %s: refreshInterval %s, throttle %s, watch %t, stale %t, cache %t",
		p.Version, len(p.Routing.Value.Routers), s.Source, s.RefreshInterval, s.Throttle, s.Watch, s.Stale, s.Cache), nil
}
