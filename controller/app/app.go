package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/metrics"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/nomad"
	"github.com/draingate/draingate/controller/observe"
	"github.com/draingate/draingate/controller/reconcile"
	"github.com/draingate/draingate/controller/status"
	"github.com/draingate/draingate/controller/webhook"
)

// probeTimeout bounds the first question to Nomad and Consul at the start.
const probeTimeout = 5 * time.Second

// App is a controller that is ready to run.
type App struct {
	log        logr.Logger
	nomad      *nomad.Client
	consul     *consul.Client
	observer   *observe.Observer
	controller *reconcile.Controller
	store      *status.Store
	metrics    *metrics.Metrics
	server     *status.Server
	// webhook is nil where there is none.
	webhook *webhook.Sender
	// leads says whether this instance is the one that acts and so the one that
	// posts; alone it always is.
	leads  func() bool
	primed chan struct{}
}

// Run makes a controller and runs it until ctx ends. The errors carry exit
// codes of package exit; nil means that ctx ended it.
func Run(ctx context.Context, o options.Run, log io.Writer) error {
	a, err := New(ctx, o, log)
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// New makes a controller and binds the address of the status endpoint, so
// that a port in use is an error before anything runs. It asks no server.
func New(ctx context.Context, o options.Run, out io.Writer) (*App, error) {
	a := &App{log: newLogger(o, out), store: status.NewStore(), primed: make(chan struct{}), leads: func() bool { return true }}
	registry := prometheus.NewRegistry()
	var err error
	if a.metrics, err = metrics.New(registry, a.measured(o)); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	if err := a.connect(o); err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	loop := reconcile.New(a.observer, a.nomad, recorder{a}, reconcile.Options{
		DryRun: o.DryRun, Policy: gate.Policy{Margin: o.Margin, DefaultMode: o.DefaultMode, Poll: o.PollInterval},
	})
	a.controller = reconcile.NewController(loop.Reconcile, o.Workers, a.passed)
	a.server, err = status.Listen(ctx, o.Listen, status.NewHandler(status.Options{
		Store: a.store, Proxies: a.proxies, Ready: a.ready, Gatherer: registry, Version: o.Version,
	}))
	if err != nil {
		a.controller.Close()
		return nil, exit.With(exit.Usage, fmt.Errorf("--listen %s: %w", o.Listen, err))
	}
	a.log.Info("starting", "version", o.Version, "nomad", a.nomad.Address(), "consul", a.consul.Address(), "traefikServices", o.Traefik.Services,
		"traefikURLs", o.Traefik.URLs, "status", a.Addr(), "dryRun", o.DryRun, "defaultMode", o.DefaultMode)
	return a, nil
}

// measured are the values that the metrics ask for at each scrape.
func (a *App) measured(o options.Run) metrics.Options {
	return metrics.Options{
		Reasons: reasons(), Deployments: a.store.Records, Version: o.Version,
		QueueDepth: func() int { return a.controller.Depth() }, WebhookDepth: a.webhookDepth, EventStreams: a.store.Subscribers,
		WatchAges: map[string]func() time.Duration{"deployments": a.watchAge},
	}
}

// connect makes the clients and the observer; nothing is asked yet.
func (a *App) connect(o options.Run) error {
	var err error
	if a.nomad, err = nomad.New(nomadOptions(a.counted(metrics.SystemNomad))); err != nil {
		return err
	}
	if a.consul, err = consul.New(consul.Options{Wrap: a.counted(metrics.SystemConsul)}); err != nil {
		return err
	}
	if a.webhook, err = newWebhook(o, a.metrics.Notified); err != nil {
		return err
	}
	a.observer, err = newObserver(a.nomad, a.consul, o, a.counted(metrics.SystemTraefik))
	return err
}

// counted counts the requests to one system.
func (a *App) counted(system string) wrap {
	return func(next http.RoundTripper) http.RoundTripper { return a.metrics.Transport(system, next) }
}

// Addr is the host:port of the status endpoint.
func (a *App) Addr() string { return a.server.Addr().String() }

// Run runs until ctx ends: first the watch and the loop stop, so that nothing
// is promoted any more, then the status endpoint and, once it has sent what
// waits or a few seconds are over, the webhook.
func (a *App) Run(ctx context.Context) error {
	ctx = logr.NewContext(ctx, a.log)
	defer a.nomad.Close()
	if err := a.probe(ctx); err != nil {
		a.controller.Close()
		return errors.Join(err, a.server.Close())
	}
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	var served errgroup.Group
	served.Go(func() error { return a.server.Serve(serving) })
	if a.webhook != nil {
		served.Go(func() error { return a.webhook.Run(serving) })
	}

	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return a.nomad.WatchDeployments(ctx, a.controller.Enqueue, func() { close(a.primed) }) })
	work.Go(func() error { return a.observer.Run(ctx) })
	work.Go(func() error { return a.controller.Run(ctx) })
	err := ended(work.Wait())
	a.log.Info("stopping", "step", "status endpoint")
	stopServing()
	err = errors.Join(err, ended(served.Wait()))
	a.log.Info("stopped")
	return err
}

// ended turns the end that ctx asked for into no error.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// probe asks Nomad and Consul once. What only time can cure is left to the
// watches, which try again and say so; a denied token is the operator's.
func (a *App) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if err := a.nomad.Check(ctx); errors.Is(err, nomad.ErrForbidden) {
		return exit.With(exit.CannotSee, err)
	} else if err != nil && ctx.Err() == nil {
		a.log.Info("Nomad does not answer yet, trying again", "address", a.nomad.Address(), "why", err.Error())
	}
	if err := a.askConsul(ctx); errors.Is(err, consul.ErrForbidden) {
		return exit.With(exit.CannotSee, err)
	} else if err != nil && ctx.Err() == nil {
		a.log.Info("Consul does not answer yet, trying again", "address", a.consul.Address(), "why", err.Error())
	}
	return nil
}

// askConsul asks for the leader and for the servers' own service: the first is
// answered whatever the token, the second only where it is good.
func (a *App) askConsul(ctx context.Context) error {
	if err := a.consul.Check(ctx); err != nil {
		return err
	}
	_, err := a.consul.Service(ctx, "consul")
	return err
}

// ready reports whether every watch has read its first full list.
func (a *App) ready() (bool, []string) {
	select {
	case <-a.primed:
		return true, nil
	default:
		return false, []string{"deployments: no list from Nomad at " + a.nomad.Address() + " yet"}
	}
}

func (a *App) watchAge() time.Duration {
	last := a.nomad.LastContact()
	if last.IsZero() {
		return 0
	}
	return time.Since(last)
}

// proxies reads the proxy set for the status endpoint.
func (a *App) proxies() model.Fact[[]model.Proxy] {
	ctx, cancel := context.WithTimeout(context.Background(), observe.DefaultPassTimeout)
	defer cancel()
	return a.observer.Proxies(ctx)
}
