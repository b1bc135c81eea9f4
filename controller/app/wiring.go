package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/metrics"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/nomad"
	"github.com/draingate/draingate/controller/observe"
	"github.com/draingate/draingate/controller/reconcile"
	"github.com/draingate/draingate/traefik"
	"github.com/draingate/draingate/traefik/client"
)

func newLogger(o options.Run, out io.Writer) logr.Logger {
	handlerOptions := &slog.HandlerOptions{Level: o.LogLevel}
	if o.LogFormat == options.LogJSON {
		return logr.FromSlogHandler(slog.NewJSONHandler(out, handlerOptions))
	}
	return logr.FromSlogHandler(slog.NewTextHandler(out, handlerOptions))
}

// wrap is what is put around a transport.
type wrap = func(http.RoundTripper) http.RoundTripper

func newObserver(n *nomad.Client, c *consul.Client, o options.Run, counted wrap) (*observe.Observer, error) {
	file, err := fileSettings(o.Traefik.Config)
	if err != nil {
		return nil, err
	}
	apis, err := newTraefiks(o.Traefik, counted)
	if err != nil {
		return nil, err
	}
	return observe.New(observe.Ports{Nomad: n, Consul: c, Traefik: apis, Fences: observedFences(c, o)}, observe.Options{
		TraefikServices: o.Traefik.Services, TraefikURLs: o.Traefik.URLs,
		API:          observe.API{Scheme: o.Traefik.APIScheme, Port: o.Traefik.APIPort, BasePath: o.Traefik.APIBasePath},
		FileSettings: file, JobSettings: jobSettings, ReadTags: traefik.ReadCatalog, Contradictions: traefik.Contradictions,
	})
}

// jobSettings takes a job at its word only where no file that it does not show
// could count before what it says.
func jobSettings(job *model.Job, group string) (model.ProxySettings, error) {
	found, err := traefik.SettingsFromJob(job, group)
	if err == nil && found.Doubt != "" {
		err = errors.New(found.Doubt)
	}
	return found.ProxySettings, err
}

// fileSettings reads --traefik-config; nil where there is none.
func fileSettings(name string) (*model.ProxySettings, error) {
	if name == "" {
		return nil, nil
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("--traefik-config: %w", err)
	}
	settings, err := traefik.ParseStatic(name, content)
	if err != nil {
		return nil, fmt.Errorf("--traefik-config: %w", err)
	}
	return &settings, nil
}

// traefiks are the clients of the Traefik APIs by base URL. All share the same
// credentials and trust.
type traefiks struct {
	template client.Options
	mu       sync.Mutex
	clients  map[string]*client.Client
}

func newTraefiks(o options.Traefik, counted wrap) (*traefiks, error) {
	t := &traefiks{clients: map[string]*client.Client{}, template: client.Options{
		Username: o.APIUser, CAFile: o.APICA, CertFile: o.APICert, KeyFile: o.APIKey, ServerName: o.APIServerName, Timeout: observe.DefaultCallTimeout, Wrap: counted,
	}}
	if o.APIPasswordFile != "" {
		var err error
		if t.template.Password, err = client.ReadPassword(o.APIPasswordFile); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *traefiks) client(baseURL string) (*client.Client, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c, ok := t.clients[baseURL]; ok {
		return c, nil
	}
	o := t.template
	o.URL = baseURL
	c, err := client.New(o)
	if err != nil {
		return nil, err
	}
	t.clients[baseURL] = c
	return c, nil
}

// Version returns the version and the start date of the process.
func (t *traefiks) Version(ctx context.Context, baseURL string) (string, time.Time, error) {
	c, err := t.client(baseURL)
	if err != nil {
		return "", time.Time{}, err
	}
	started, version, err := c.Identity(ctx)
	return version, started, err
}

// Routing returns the dynamic configuration of the process.
func (t *traefiks) Routing(ctx context.Context, baseURL string) (model.Routing, error) {
	c, err := t.client(baseURL)
	if err != nil {
		return model.Routing{}, err
	}
	return c.Routing(ctx)
}

// Settings returns the static settings and the start date of the process that
// told them.
func (t *traefiks) Settings(ctx context.Context, baseURL string) (model.ProxySettings, time.Time, error) {
	c, err := t.client(baseURL)
	if err != nil {
		return model.ProxySettings{}, time.Time{}, err
	}
	dump, err := c.Dump(ctx)
	if errors.Is(err, client.ErrNoSupportDump) {
		err = fmt.Errorf("%w: %w", observe.ErrNoSettings, err)
	}
	return dump.Settings, dump.Started, err
}

// nomadOptions take Nomad's own variables, and inside a Nomad task that was
// given no address its task API and workload identity.
func nomadOptions(counted wrap) nomad.Options {
	o := nomad.Options{Datacenter: os.Getenv("NOMAD_DC"), Wrap: counted}
	if secrets := os.Getenv("NOMAD_SECRETS_DIR"); os.Getenv("NOMAD_ADDR") == "" && secrets != "" {
		o.Address = "unix://" + secrets + "/api.sock"
	}
	return o
}

// reasons are all reasons by verb, as the metrics want them.
func reasons() map[model.Verb][]model.Reason {
	out := map[model.Verb][]model.Reason{}
	for _, r := range gate.Reasons() {
		out[r.Verb] = append(out[r.Verb], r.Reason)
	}
	return out
}

// recorder tells the status endpoint and the metrics of every pass.
type recorder struct{ app *App }

// Record is told of every pass.
func (r recorder) Record(record model.Record) {
	r.app.notify(r.app.store.Record(record))
	r.app.metrics.Decided(record.Decision)
	r.app.metrics.Judged(record.Key, record.Decision)
}

// Promotion is told of every attempt to promote.
func (r recorder) Promotion(err error, late time.Duration) {
	r.app.metrics.Promoted(promotionResult(err))
	if err == nil {
		r.app.metrics.PromotedAfter(late)
	}
}

// Failure is told of every attempt to fail a deployment.
func (r recorder) Failure(err error) { r.app.metrics.Failed(promotionResult(err)) }

func promotionResult(err error) string {
	switch {
	case err == nil:
		return metrics.PromotionAccepted
	case errors.Is(err, reconcile.ErrMoved):
		return metrics.PromotionChanged
	case errors.Is(err, reconcile.ErrNotLeading):
		return metrics.PromotionNotLeading
	case errors.Is(err, nomad.ErrUnreachable):
		return metrics.PromotionUnanswered
	default:
		return metrics.PromotionRefused
	}
}

// passed counts one pass of the loop; the loop and the metrics share the words.
func (a *App) passed(outcome string, took time.Duration) { a.metrics.Reconciled(outcome, took) }
