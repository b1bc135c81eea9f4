package observe

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Observer gathers snapshots. Proxies, and the measured load, are shared by all
// deployments. It is safe for concurrent use.
type Observer struct {
	ports   Ports
	options Options
	given   []string // the normalised TraefikURLs

	agent   agent
	load    loadMeter
	proxies proxyFlights
	members members
	memory  processMemory
}

// New returns an observer. It does no I/O and starts nothing; see Run. The error
// is that of a URL that is none.
func New(ports Ports, options Options) (*Observer, error) {
	options = options.withDefaults()
	if options.ReadTags == nil {
		return nil, errors.New("observe: no function to read tags with")
	}
	if (options.FileSettings != nil || options.JobSettings != nil) && options.Contradictions == nil {
		return nil, errors.New("observe: no function to compare settings with")
	}
	o := &Observer{ports: ports, options: options, load: loadMeter{wanted: make(chan struct{}, 1)}}
	for _, raw := range options.TraefikURLs {
		u, err := NormalizeURL(raw)
		if err != nil {
			return nil, err
		}
		o.given = append(o.given, u)
	}
	return o, nil
}

// Run measures the time of a load whenever a pass finds that it is due. Without
// it the load stays unknown. It returns nil when ctx ends.
func (o *Observer) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-o.load.wanted:
			o.load.measure(ctx, o.ports.Consul, o.options.LoadTimeout)
		}
	}
}

// Observe reads everything about one deployment, at one time as far as it can,
// and returns within the pass timeout. Every fact carries the time at which its
// read began. What the snapshot points to is shared and must not be changed.
func (o *Observer) Observe(ctx context.Context, key model.Key) model.Snapshot {
	ctx, cancel := context.WithTimeout(ctx, o.options.PassTimeout)
	defer cancel()
	s := model.Snapshot{Key: key}
	var proxies model.Fact[[]model.Proxy]
	var where model.Fact[place]
	var parts sync.WaitGroup
	parts.Go(func() { proxies = o.Proxies(ctx) })
	parts.Go(func() { where = o.agent.read(ctx, o.ports.Nomad, o.options.CallTimeout) })
	parts.Go(func() { o.observeJob(ctx, &s) })
	if o.ports.Fences != nil {
		parts.Go(func() {
			s.Fence = read(ctx, o.options.CallTimeout, func(ctx context.Context) (model.FenceFacts, error) { return o.ports.Fences.FenceFacts(ctx, key) })
		})
	}
	parts.Wait()
	s.Region, s.Datacenter, s.RegionErr = where.Value.region, where.Value.datacenter, where.Err
	s.Load = o.Load()
	s.Proxies = withTags(proxies, s.Catalog, o.options.ReadTags)
	return s
}

// Load returns the last measurement of a load, or why there is none yet, and
// asks Run for a new one if it is due.
func (o *Observer) Load() model.Fact[model.Load] { return o.load.latest(o.options.LoadEvery) }

// read makes a fact of one call. A call that answers after its time is up is
// not known: what follows from it could be too old.
func read[T any](ctx context.Context, timeout time.Duration, call func(context.Context) (T, error)) model.Fact[T] {
	at := time.Now()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	value, err := call(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return model.Unseen[T](at, reason(err))
	}
	return model.Seen(value, at)
}

// reason is an error's text on one line.
func reason(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// withTags adds how each proxy reads the tags of each instance. It changes
// copies: the proxies are shared with other deployments.
func withTags(
	proxies model.Fact[[]model.Proxy],
	catalog map[string]model.Fact[[]model.Registration],
	readTags func(model.ProxySettings, []model.Registration) map[string]model.TagReading,
) model.Fact[[]model.Proxy] {
	instances, twice := allInstances(catalog)
	proxies.Value = slices.Clone(proxies.Value)
	for i := range proxies.Value {
		p := &proxies.Value[i]
		if !p.Settings.Known() {
			continue
		}
		p.Tags = maps.Clone(readTags(p.Settings.Value, instances))
		for _, id := range twice {
			p.Tags[id] = model.TagReading{Err: "several instances have the service ID " + id}
		}
	}
	return proxies
}

// allInstances returns the instances of all services that could be read, sorted
// by the service's name, and the service IDs that several of them have: two
// nodes may use one ID, and which is meant cannot be told.
func allInstances(catalog map[string]model.Fact[[]model.Registration]) (instances []model.Registration, twice []string) {
	seen := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(catalog)) {
		for _, r := range catalog[name].Value {
			if seen[r.ServiceID] {
				twice = append(twice, r.ServiceID)
			}
			seen[r.ServiceID] = true
			instances = append(instances, r)
		}
	}
	return instances, twice
}
