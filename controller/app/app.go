package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/fencer"
	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/judge"
	"github.com/draingate/draingate/controller/leader"
	"github.com/draingate/draingate/controller/metrics"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/nomad"
	"github.com/draingate/draingate/controller/observe"
	"github.com/draingate/draingate/controller/parker"
	"github.com/draingate/draingate/controller/parking"
	"github.com/draingate/draingate/controller/reconcile"
	"github.com/draingate/draingate/controller/status"
	"github.com/draingate/draingate/controller/survey"
	"github.com/draingate/draingate/controller/trust"
	"github.com/draingate/draingate/controller/webhook"
)

// probeTimeout bounds the first question to Nomad and Consul at the start.
const probeTimeout = 5 * time.Second

// probeTries is how often each is asked at the start.
const probeTries = 5

// App is a controller that is ready to run.
type App struct {
	options  options.Run
	log      logr.Logger
	nomad    *nomad.Client
	consul   *consul.Client
	observer *observe.Observer
	store    *status.Store
	metrics  *metrics.Metrics
	server   *status.Server
	// webhook is nil where there is none.
	webhook *webhook.Sender
	// rules judge the jobs that are deployed; survey judges all live jobs, and
	// is nil unless nothing is to be written.
	rules  *judge.Judge
	survey *survey.Survey
	// elector is nil where there is no election; changes has an entry when it
	// has something new to say.
	elector *leader.Elector
	changes chan struct{}
	// fencer is nil where this process takes part in no fence.
	fencer *fencer.Fencer
	// parker is nil where this process parks for no service; garage has its
	// listeners, and parked what the leader knows of parks.
	parker *parker.Parker
	garage *parking.Garage
	parked parkBoard
	// controller is nil, and primed false, while another instance leads.
	controller atomic.Pointer[reconcile.Controller[model.Key]]
	primed     atomic.Bool
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
	registry := prometheus.NewRegistry()
	a, err := connected(o, out, registry)
	if err != nil {
		return nil, err
	}
	a.rules = judge.New(o.Margin)
	if o.DryRun {
		a.survey = survey.New(a.nomad, a.observer, a.rules)
	}
	a.server, err = status.Listen(ctx, o.Listen, status.NewHandler(status.Options{
		Store: a.store, Proxies: a.proxies, Lint: a.lint(), Fences: a.fences, Parks: a.parks, Ready: a.ready, Leadership: a.leadership(), Gatherer: registry, Pprof: o.Pprof, Version: o.Version,
	}))
	if err != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("--listen %s: %w", o.Listen, err))
	}
	a.elector = a.newElector(o)
	a.fencer = a.newFencer(o)
	a.parker = a.newParker(o)
	a.warnOfFileLimit()
	a.log.Info("starting", "version", o.Version, "nomad", a.nomad.Address(), "consul", a.consul.Address(), "traefikServices", o.Traefik.Services,
		"traefikURLs", o.Traefik.URLs, "status", a.Addr(), "dryRun", o.DryRun, "defaultMode", o.DefaultMode, "election", elects(o))
	return a, nil
}

// connected makes an App that has its clients and an observer, and can ask with
// them; nothing is bound and nothing is asked yet.
func connected(o options.Run, out io.Writer, registry prometheus.Registerer) (*App, error) {
	a := &App{options: o, log: newLogger(o, out), store: status.NewStore(), changes: make(chan struct{}, 1)}
	var err error
	if a.metrics, err = metrics.New(registry, a.measured(o)); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	if err := a.connect(o); err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	return a, nil
}

// measured are the values that the metrics ask for at each scrape.
func (a *App) measured(o options.Run) metrics.Options {
	leads := a.leads
	if o.DryRun {
		leads = nil // That nobody leads in a dry run is no reason for an alert.
	}
	return metrics.Options{
		Reasons: reasons(), Deployments: a.store.Records, Version: o.Version,
		QueueDepth: a.queueDepth, Leads: leads, WebhookDepth: a.webhookDepth, Fences: a.fenceFigures(o), Parks: a.parkFigures(o), ParkedServices: a.lotFigures(o), ParkReasons: parkReasons(), EventStreams: a.store.Subscribers,
		WatchAges: map[string]func() time.Duration{"deployments": a.watchAge},
	}
}

func (a *App) queueDepth() int {
	if c := a.controller.Load(); c != nil {
		return c.Depth()
	}
	return 0
}

// loopOptions are those of the loop. Without an election nobody else writes.
func (a *App) loopOptions(takenOver time.Time) reconcile.Options {
	o := reconcile.Options{DryRun: a.options.DryRun, TakenOver: takenOver, Sound: survey.NewConditions(a.rules).Of, Fencing: a.fencing(), Policy: policyOf(a.options)}
	if parks(a.options) {
		o.Parked = a.parkedCondition
	}
	if a.elector != nil {
		o.Lease = a.elector
	}
	return o
}

// policyOf is what the gate goes by where a job does not say.
func policyOf(o options.Run) gate.Policy {
	p := gate.Policy{Margin: o.Margin, DefaultMode: o.DefaultMode, Poll: o.PollInterval, HoldDeadline: o.HoldDeadline, OnDeadline: o.OnDeadline}
	if judgesFences(o) {
		p.Fence, p.FencePatience = o.Fence, o.FenceTimeout
	}
	return p
}

// leadership is what the status endpoint asks who leads; nil without an election.
func (a *App) leadership() func() model.Leadership {
	if !elects(a.options) {
		return nil
	}
	return func() model.Leadership { return a.elector.State() }
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
// is promoted any more, then the lead is given up, and last the status endpoint
// and, once it has sent what waits or a few seconds are over, the webhook.
func (a *App) Run(ctx context.Context) error {
	ctx = logr.NewContext(ctx, a.log)
	defer a.nomad.Close()
	if err := a.probe(ctx); err != nil {
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
	work.Go(func() error { return a.campaign(ctx, a.look) })
	work.Go(func() error { return a.observer.Run(ctx) })
	if a.fencer != nil {
		work.Go(func() error { return a.fencer.Run(ctx) })
	}
	if a.parker != nil {
		work.Go(func() error { return a.parker.Run(ctx) })
	}
	if a.survey != nil {
		work.Go(func() error { return a.survey.Run(ctx) })
	}
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
// watches, which try again and say so; a denied token and a certificate that is
// not trusted are the operator's.
func (a *App) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if err := ask(ctx, a.nomad.Check); hopeless(err) {
		return exit.With(exit.CannotSee, err)
	} else if err != nil && ctx.Err() == nil {
		a.log.Info("Nomad does not answer yet, trying again", "address", a.nomad.Address(), "why", err.Error())
	}
	if err := ask(ctx, a.askConsul); hopeless(err) {
		return exit.With(exit.CannotSee, err)
	} else if err != nil && ctx.Err() == nil {
		a.log.Info("Consul does not answer yet, trying again", "address", a.consul.Address(), "why", err.Error())
	}
	return nil
}

// ask asks a few times. A server that wants a certificate says so and closes;
// where our request is written after that, the write fails first and hides
// what the server said.
func ask(ctx context.Context, question func(context.Context) error) error {
	var err error
	for range probeTries {
		if err = question(ctx); err == nil || hopeless(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// hopeless reports whether an error is one that no further try cures.
func hopeless(err error) bool {
	return errors.Is(err, nomad.ErrForbidden) || errors.Is(err, consul.ErrForbidden) || errors.Is(err, trust.ErrHandshake)
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

// ready reports whether it is known who leads and, where this instance looks
// for itself, whether every watch has read its first full list.
func (a *App) ready() (bool, []string) {
	var waiting []string
	looks := true
	if a.elector != nil {
		state := a.elector.State()
		looks = state.Role != model.RoleFollower
		if !state.Decided {
			waiting = append(waiting, "leader: no answer from Consul at "+a.consul.Address()+" yet")
		}
	}
	if looks && !a.primed.Load() {
		waiting = append(waiting, "deployments: no list from Nomad at "+a.nomad.Address()+" yet")
	}
	return len(waiting) == 0, waiting
}

// watchAge is zero while another instance leads, and watches.
func (a *App) watchAge() time.Duration {
	last := a.nomad.LastContact()
	if last.IsZero() || a.controller.Load() == nil {
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
