package app

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/controller/census"
	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/parker"
	"github.com/draingate/draingate/controller/parking"
	"github.com/draingate/draingate/controller/reconcile"
)

// parks reports whether this process takes part in parks. They rest on the lock of
// the leader, as fences do.
func parks(o options.Run) bool { return elects(o) && !o.Park.Off }

// newParker makes what parks for services on this node; nil where nothing does.
func (a *App) newParker(o options.Run) *parker.Parker {
	if a.elector == nil || !parks(o) {
		return nil
	}
	a.garage = parking.New(parking.Options{Total: parking.Bounds{Requests: o.Park.Requests}})
	return parker.New(a.consul, a.garage, parker.Options{
		Keys: park.KeysUnder(o.Leader.Key), TTL: o.Leader.TTL, Instance: a.elector.State().Self.ID,
		Address: o.Park.Address, Bind: o.Park.Bind, Ports: parking.Ports{First: o.Park.FirstPort, Last: o.Park.LastPort},
		Bounds: parking.Bounds{Requests: o.Park.PerService}, Tags: placeholderTags, Did: a.metrics.ParkActed,
	})
}

// placeholderTags are those of the instance for which a placeholder stands, so that
// each Traefik merges both, but for where it listens.
func placeholderTags(r park.Record, at netip.AddrPort) []string {
	tags := r.Tags
	for _, prefix := range r.Prefixes {
		tags = park.Tags(prefix, tags, at.String())
	}
	return tags
}

// park looks after the parks of all services for as long as this instance leads.
func (a *App) park(ctx context.Context) error {
	if !parks(a.options) {
		return nil
	}
	keys := park.KeysUnder(a.options.Leader.Key)
	var loop *reconcile.Controller[reconcile.Service]
	jobs := census.New(a.nomad, func(service string) { loop.Enqueue(reconcile.Service(service)) })
	passes := reconcile.NewParks(a.observer, jobs, parkRecorder{a}, reconcile.ParkOptions{
		Keys: keys, Records: a.consul, Self: instanceName(), Guard: a.elector.Guard, Lease: a.elector, Unfit: unfit, Clash: clash,
	})
	loop = reconcile.NewController(passes.Reconcile, a.options.Workers, a.passed)
	defer a.parked.clear()
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return jobs.Run(ctx) })
	work.Go(func() error { return loop.Run(ctx) })
	work.Go(func() error { a.lookAfterParks(ctx, keys, loop); return nil })
	return ended(work.Wait())
}

// lookAfterParks has a pass made over every service that has a record: it may be of
// a job that is not there any more, or have been begun by another instance.
func (a *App) lookAfterParks(ctx context.Context, keys park.Keys, loop *reconcile.Controller[reconcile.Service]) {
	for ctx.Err() == nil {
		asking, cancel := context.WithTimeout(ctx, scrapeTimeout)
		stored, _, err := a.consul.List(asking, keys.Records(), 0, 0)
		cancel()
		records, unread := keys.ReadRecords(stored)
		if err = cmp.Or(err, unread); err != nil && ctx.Err() == nil {
			logr.FromContextOrDiscard(ctx).V(1).Info("records of parks not read", "why", err.Error())
		}
		for _, r := range records {
			loop.Enqueue(reconcile.Service(r.Service))
		}
		select {
		case <-ctx.Done():
		case <-time.After(parksEvery):
		}
	}
}

// parksEvery is how often records are looked for that nothing else tells of.
const parksEvery = 10 * time.Second

// Parked is how the park of one service stands, as the leader last saw it.
type Parked struct {
	Service string
	// Namespace, Job and Version are of the job that speaks for the service; empty
	// where none does.
	Namespace, Job string
	Version        uint64
	// Asked is true where the job or a person asks for a park.
	Asked   bool
	Record  *park.Record
	Parkers map[string]park.Presence
	park.Finding
	// Unread says why the record could not be read in the last pass; the rest is then
	// of the pass before.
	Unread string
	// Seen is since when it is so where there is no record.
	Seen time.Time
}

// parkedOf is how a park stands after a pass. What a record says of its job counts
// where nobody asks for it any more.
func parkedOf(r *park.Record, w park.World, f park.Finding) Parked {
	out := Parked{
		Service: w.Service, Namespace: w.Wish.Namespace, Job: w.Wish.Job, Version: w.Wish.Version,
		Asked:  w.Asked(),
		Record: r, Parkers: w.Parkers, Finding: f, Seen: time.Now(),
	}
	if out.Job == "" && r != nil {
		out.Namespace, out.Job, out.Version = r.Namespace, r.Job, r.Version
	}
	return out
}

// parkBoard keeps how each park stands. The zero value is ready to use.
type parkBoard struct {
	mu  sync.Mutex
	all map[string]Parked
}

// set returns how it stood before. A service that no job speaks for, and of which
// nothing is to be told, is forgotten.
func (b *parkBoard) set(p Parked) Parked {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.all[p.Service]
	if p.Record == nil && p.Reason == "" && p.Job == "" {
		delete(b.all, p.Service)
		return before
	}
	if p.Record == nil && before.Record == nil && before.Reason == p.Reason {
		p.Seen = before.Seen
	}
	if b.all == nil {
		b.all = map[string]Parked{}
	}
	b.all[p.Service] = p
	return before
}

// unread keeps that the record of a service could not be read. It returns how it
// stood before and how it stands now.
func (b *parkBoard) unread(service, why string) (before, now Parked) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, known := b.all[service]
	now = before
	now.Unread = why
	if known {
		b.all[service] = now
	}
	return before, now
}

func (b *parkBoard) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = nil
}

// list returns all, sorted by service.
func (b *parkBoard) list() []Parked {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Parked, 0, len(b.all))
	for _, p := range b.all {
		out = append(out, p)
	}
	slices.SortFunc(out, func(x, y Parked) int { return cmp.Compare(x.Service, y.Service) })
	return out
}

// parkRecorder keeps how parks stand for the status endpoint and the metrics.
type parkRecorder struct{ app *App }

// Parked is told of every pass.
func (r parkRecorder) Parked(record *park.Record, world park.World, finding park.Finding) {
	now := parkedOf(record, world, finding)
	before := r.app.parked.set(now)
	if reason, ended := ends(before, now); ended {
		r.app.metrics.ParkEnded(reason)
	}
	if refuses(before, now) {
		r.app.metrics.ParkRefused(finding.Reason)
	}
	r.app.showParked(before, now)
}

// Unread is told of every pass that could not read the record.
func (r parkRecorder) Unread(service string, err error) {
	r.app.showParked(r.app.parked.unread(service, err.Error()))
}

// ends reports whether a park began to leave in this pass, and why.
func ends(before, now Parked) (model.Reason, bool) {
	if before.Record == nil || before.Record.Step != park.StepParking || now.Record == nil || now.Record.Step != park.StepLeaving {
		return "", false
	}
	return cmp.Or(now.Record.Reason, park.ReasonReleased), true
}

// refuses reports whether this is the first pass that found why a service is not
// parked for.
func refuses(before, now Parked) bool {
	return now.Record == nil && now.Reason != "" && !stale(now.Finding) && (before.Record != nil || before.Reason != now.Reason)
}

// Wrote is told of every write.
func (r parkRecorder) Wrote(do park.Do, err error) { r.app.metrics.ParkWrote(string(do), err) }
