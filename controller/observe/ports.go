package observe

import (
	"context"
	"errors"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Nomad is what is asked of Nomad. Package nomad's Client is one.
type Nomad interface {
	// Deployment returns nil where Nomad has no such deployment.
	Deployment(ctx context.Context, key model.Key) (*model.Deployment, error)
	// Job returns nil where Nomad does not know that version of the job.
	Job(ctx context.Context, namespace, id string, version uint64) (*model.Job, error)
	// Allocations returns all allocations of the job; those that are not
	// terminal carry their own job.
	Allocations(ctx context.Context, namespace, jobID string) ([]model.Allocation, error)
	// AllocationTerminal reports whether the allocation's processes have ended.
	// An allocation that Nomad does not know is an error unless Nomad is known
	// to have had it.
	AllocationTerminal(ctx context.Context, id string) (bool, error)
	// AllocationJob returns the job that the allocation runs, and the group of it
	// that the allocation is of.
	AllocationJob(ctx context.Context, id string) (job *model.Job, group string, err error)
	// Overrides returns what people wrote in Nomad Variables about the job.
	Overrides(ctx context.Context, namespace, jobID string) (model.Overrides, error)
	// Agent returns the local region and datacenter.
	Agent(ctx context.Context) (region, datacenter string, err error)
}

// Consul is what is asked of Consul. Package consul's Client is one.
type Consul interface {
	// Service returns all instances of the service, whatever their status.
	Service(ctx context.Context, name string) ([]model.Registration, error)
	// MeasureLoad loads the catalog as Traefik does and tells how long it took.
	MeasureLoad(ctx context.Context) (model.Load, error)
}

// Traefik is what is asked of a Traefik's API at a base URL. Its connections
// should not be kept alive between calls, since an address that answers for
// several processes is found out only by meeting another one.
type Traefik interface {
	// Version returns the version and the start date of the process.
	Version(ctx context.Context, baseURL string) (version string, started time.Time, err error)
	// Routing returns the dynamic configuration that the process runs.
	Routing(ctx context.Context, baseURL string) (model.Routing, error)
	// Settings returns the static settings that the process runs with, and the
	// start date of the process that told them. The error is ErrNoSettings
	// where the process has no way to tell them.
	Settings(ctx context.Context, baseURL string) (settings model.ProxySettings, started time.Time, err error)
}

// Fences is what is asked about the fences of deployments.
type Fences interface {
	// FenceFacts returns what is stored about the deployment's fence, and which
	// nodes have an instance of draingate.
	FenceFacts(ctx context.Context, key model.Key) (model.FenceFacts, error)
}

// ErrNoSettings means that a Traefik cannot be asked for its static settings:
// it is older than v3.3.0, which brought /api/support-dump. Any other failure,
// such as a timeout, must not carry it.
var ErrNoSettings = errors.New("this Traefik does not tell its static settings")

// Ports are the systems that are observed.
type Ports struct {
	Nomad   Nomad
	Consul  Consul
	Traefik Traefik
	// Fences is nil where nothing is fenced.
	Fences Fences
}

// The times that hold where Options leaves them zero.
const (
	// DefaultPassTimeout keeps the oldest fact of a pass under the 2 s after
	// which a decision takes it for unknown.
	DefaultPassTimeout = 1800 * time.Millisecond
	// DefaultCallTimeout leaves time in a pass for the reads that follow one
	// that was slow.
	DefaultCallTimeout = time.Second
	// DefaultProxyMaxAge is how long deployments share one reading of the proxies.
	DefaultProxyMaxAge = 300 * time.Millisecond
	// DefaultLoadEvery is the pause between two measurements of a load.
	DefaultLoadEvery = 10 * time.Second
	// DefaultLoadTimeout bounds one measurement of a load.
	DefaultLoadTimeout = time.Minute
)

// Options say what to observe and how long to wait for it.
type Options struct {
	// TraefikServices are the names of the Consul services whose instances are
	// the proxies. Each must have at least one instance.
	TraefikServices []string
	// TraefikURLs are the base URLs of the APIs of further proxies.
	TraefikURLs []string
	// API says where the API of an instance found in Consul is.
	API API
	// JobSettings reads the settings of a Traefik from the job that Nomad runs it
	// by, for processes that cannot be asked; nil for not to. It fails where the
	// job does not settle them.
	JobSettings func(job *model.Job, group string) (model.ProxySettings, error)
	// FileSettings are the settings of Traefik's configuration file, for
	// processes that cannot be asked and that no job tells anything of; nil where
	// no file was given.
	FileSettings *model.ProxySettings
	// ReadTags says what a proxy with these settings makes of the tags of all
	// the instances of some services, by service ID. It is given every instance
	// of a service or none, since the tags of one can exclude the others.
	ReadTags func(model.ProxySettings, []model.Registration) map[string]model.TagReading
	// Contradictions lists the settings in which a source and a lesser one
	// differ, a sentence each. It is needed only together with FileSettings or
	// JobSettings.
	Contradictions func(first, other model.ProxySettings) []string

	// PassTimeout bounds one pass, CallTimeout each call in it and all the
	// calls to one proxy together. ProxyMaxAge, LoadEvery and LoadTimeout are
	// as their defaults say.
	PassTimeout, CallTimeout, ProxyMaxAge, LoadEvery, LoadTimeout time.Duration
}

// API says how the API of a Traefik instance is reached from its address.
type API struct {
	// Scheme is http or https, http if empty.
	Scheme string
	// Port replaces the registered port where not 0.
	Port int
	// BasePath is Traefik's api.basePath.
	BasePath string
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&o.PassTimeout, DefaultPassTimeout},
		{&o.CallTimeout, DefaultCallTimeout},
		{&o.ProxyMaxAge, DefaultProxyMaxAge},
		{&o.LoadEvery, DefaultLoadEvery},
		{&o.LoadTimeout, DefaultLoadTimeout},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	if o.API.Scheme == "" {
		o.API.Scheme = "http"
	}
	return o
}
