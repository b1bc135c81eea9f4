package park

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Meta keys of a job or a group.
const (
	// metaMode and metaMaxRequest are those of the gate.
	metaMode       = "draingate_mode"
	metaMaxRequest = "draingate_max_request"
)

// Facts are what was read of the world for the park of one service.
type Facts struct {
	Now     time.Time
	Keys    Keys
	Service string
	// Jobs are those that have the service and ask to be parked for, or are to be
	// paused.
	Jobs    []JobFacts
	Catalog model.Fact[[]model.Registration]
	// Proxies say how they read the tags of each instance of the catalog.
	Proxies model.Fact[[]model.Proxy]
	// Stored is all below the prefix of the keys.
	Stored model.Fact[[]model.Stored]
	// Ran are the allocations that this process saw while they were to run, with when
	// it first saw that they were told to stop, the zero time for not yet; and Known
	// the instances that Nomad registered as they were last in the catalog.
	Ran   map[string]time.Time
	Known []model.Registration
	// Self and Mark are as in World.
	Self, Mark string
	// Unfit says why a service cannot be parked for, for so long at most, and which
	// checks of a proxy's own a placeholder has to answer; nil for never and none.
	Unfit func(f Facts, j *JobFacts, longest time.Duration) (Finding, []Probe)
}

// JobFacts are what was read of one job.
type JobFacts struct {
	Job         model.Fact[*model.Job]
	Allocations model.Fact[[]model.Allocation]
	Overrides   model.Fact[model.Overrides]
}

// Build makes a World of facts. Where a part is not known World.Unknown says so.
func Build(f Facts) (World, error) {
	w := World{Now: f.Now, Service: f.Service, Self: f.Self, Mark: f.Mark, Unknown: f.unknown()}
	w.Parkers = f.Keys.ReadParkers(f.Stored.Value)
	if err := w.readRecord(f); err != nil {
		return World{}, err
	}
	w.Pools = pools(f.Proxies)
	going := f.going()
	for _, r := range f.Catalog.Value {
		i := f.instance(r, going)
		switch _, ours := f.Keys.PlaceholderOf(r.ServiceID, r.Node); {
		case ours:
			w.Placeholders = append(w.Placeholders, i)
		case !IsPlaceholder(r.ServiceID):
			w.Instances = append(w.Instances, i)
		}
	}
	w.Going = f.ends(going)
	w.Wish = f.wish()
	return w, nil
}

func (w *World) readRecord(f Facts) error {
	if !f.Stored.Known() {
		return fmt.Errorf("the record of service %q: %s", f.Service, f.Stored.Err)
	}
	records, err := f.Keys.ReadRecords(f.Stored.Value)
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.Service == f.Service {
			w.Record = &r.Record
		}
	}
	return nil
}

// Index is that of the service's record, 0 where there is none.
func (f Facts) Index() uint64 {
	for _, s := range f.Stored.Value {
		if s.Key == f.Keys.Record(f.Service) {
			return s.Index
		}
	}
	return 0
}

func (f Facts) unknown() string {
	for _, j := range f.Jobs {
		for _, why := range []string{problem("the job", j.Job), problem("its allocations", j.Allocations), problem("its overrides", j.Overrides)} {
			if why != "" {
				return why
			}
		}
	}
	return problem("the catalog", f.Catalog)
}

func problem[T any](what string, fact model.Fact[T]) string {
	if fact.Known() {
		return ""
	}
	return what + " could not be read: " + cmp.Or(fact.Err, "not asked yet")
}

// going are the allocations that were told to stop and have not ended, of all the
// jobs.
func (f Facts) going() map[string]model.Allocation {
	out := map[string]model.Allocation{}
	for _, j := range f.Jobs {
		for _, a := range j.Allocations.Value {
			if a.DesiredStatus != model.DesiredRun && !a.ClientTerminal() && f.has(a.Job, a.Group) {
				out[a.ID] = a
			}
		}
	}
	return out
}

// has reports whether the group of a job has the service.
func (f Facts) has(j *model.Job, group string) bool {
	return slices.ContainsFunc(j.Group(group).AllServices(), func(s model.Service) bool { return s.Name == f.Service })
}

func (f Facts) instance(r model.Registration, going map[string]model.Allocation) Instance {
	_, goes := going[r.AllocID]
	service, ours := "", false
	for _, c := range r.Checks {
		if c.Status == model.StatusCritical && c.ID == model.ServiceMaintenance+r.ServiceID {
			service, ours = f.Keys.Ours(c.Notes)
		}
	}
	return Instance{
		ID: r.ServiceID, Alloc: r.AllocID, Node: r.Node, Address: AddressOf(r), Passing: r.Status == model.StatusPassing,
		Going: goes, Ours: ours && service == f.Service, Takers: takers(f.Proxies, r),
	}
}

// takers says how the proxies that take an instance stand to it.
func takers(proxies model.Fact[[]model.Proxy], r model.Registration) Takers {
	if !proxies.Known() {
		return TakersUnknown
	}
	out := TakersNone
	for i := range proxies.Value {
		p := &proxies.Value[i]
		reading, read := p.Tags[r.ServiceID]
		switch {
		case !p.Routing.Known() || !read || reading.Unknown != "" || reading.Err != "":
			return TakersUnknown
		case IsPlaceholder(r.ServiceID) && !points(reading, AddressOf(r)):
			return TakersSome
		case !reading.Exposed:
		case !lists(p.Routing.Value, reading.Services):
			return TakersSome
		default:
			out = TakersAll
		}
	}
	return out
}

// points reports whether a proxy sends what is for the instance there. A placeholder whose
// tags have a prefix that was not known yet has the port of an instance.
func points(reading model.TagReading, address string) bool {
	return !slices.ContainsFunc(reading.Services, func(s model.TagService) bool { return s.HostPort != address })
}

// lists reports whether each of the services that tags define has their instance
// among its servers.
func lists(routing model.Routing, services []model.TagService) bool {
	for _, want := range services {
		if !slices.ContainsFunc(routing.Services, func(s model.ProxyService) bool {
			return s.Name == want.Name && s.Status == model.StatusEnabled &&
				slices.ContainsFunc(s.Servers, func(u model.Server) bool { return u.HostPort == want.HostPort })
		}) {
			return false
		}
	}
	return len(services) > 0
}

func pools(proxies model.Fact[[]model.Proxy]) Pools {
	out := Pools{Addresses: map[string]bool{}}
	if !proxies.Known() {
		out.Unknown = cmp.Or(proxies.Err, "the proxies were not asked yet")
		return out
	}
	for _, p := range proxies.Value {
		if !p.Routing.Known() {
			out.Unknown = p.Name + ": " + p.Routing.Err
		}
		for _, s := range p.Routing.Value.Services {
			for _, server := range s.Servers {
				out.Addresses[server.HostPort] = true
			}
		}
	}
	return out
}

// ends says until when each of those that go surely serves, sorted by allocation.
func (f Facts) ends(going map[string]model.Allocation) []Going {
	var out []Going
	for _, a := range going {
		g := Going{Alloc: a.ID, Until: f.end(a)}
		for _, r := range slices.Concat(f.Known, f.Catalog.Value) {
			if r.AllocID == a.ID {
				g.Address = AddressOf(r)
			}
		}
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b Going) int { return cmp.Compare(a.Alloc, b.Alloc) })
	return out
}

// end is until when an allocation that was told to stop may be sent requests:
// counted from when that was seen, or from when Nomad's servers last changed the
// allocation if that is earlier. It is not known for one that this process did not
// see running: it may have been told long ago.
func (f Facts) end(a model.Allocation) time.Time {
	group := a.Job.Group(a.Group)
	told, ran := f.Ran[a.ID]
	if !ran || group == nil {
		return time.Time{}
	}
	if told.IsZero() {
		told = f.Now
	}
	if !a.ModifiedAt.IsZero() && a.ModifiedAt.Before(told) {
		told = a.ModifiedAt
	}
	for _, s := range group.AllServices() {
		if s.Name == f.Service {
			serves, err := ServesUntil(*group, s)
			if err != nil {
				return time.Time{}
			}
			return told.Add(serves - longest(a.Job, a.Group) - Margin)
		}
	}
	return time.Time{}
}

// Remember is what Ran is to be for the next facts.
func (f Facts) Remember() map[string]time.Time {
	out := map[string]time.Time{}
	for _, j := range f.Jobs {
		for _, a := range j.Allocations.Value {
			told, ran := f.Ran[a.ID]
			switch {
			case a.ClientTerminal():
			case a.DesiredStatus == model.DesiredRun:
				out[a.ID] = time.Time{}
			case ran && told.IsZero():
				out[a.ID] = f.Now
			case ran:
				out[a.ID] = told
			}
		}
	}
	return out
}

// longest is the longest request that must be allowed to finish, 0 where the job
// does not say.
func longest(j *model.Job, group string) time.Duration {
	text, _ := j.MetaFor(group, metaMaxRequest)
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return d
}

// wish is what the jobs ask for together: the one that is to have instances
// speaks for the service.
func (f Facts) wish() Wish {
	var out Wish
	for i := range f.Jobs {
		one := f.wishOf(&f.Jobs[i])
		switch {
		case one.Job == "":
		case out.Job == "" || one.Successor && !out.Successor:
			one.Paused = later(one.Paused, out.Paused)
			out = one
		default:
			out.Paused = later(one.Paused, out.Paused)
		}
	}
	out.Prefixes = prefixes(f.Proxies)
	out.Tags = f.tags()
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (f Facts) wishOf(j *JobFacts) Wish {
	job := j.Job.Value
	if job == nil {
		return Wish{}
	}
	for i := range job.Groups {
		g := &job.Groups[i]
		if !f.has(job, g.Name) {
			continue
		}
		out := Wish{
			Namespace: job.Namespace, Job: job.ID, Group: g.Name, Version: job.Version,
			Successor: !job.Stopped && g.Count > 0,
			Paused:    PausedUntil(j.Overrides.Value, f.Service),
		}
		if acts(job, g.Name, j.Overrides.Value) {
			var err error
			if out.Wait, _, err = Longest(job, g.Name); err != nil {
				out.Invalid = err.Error()
			}
		}
		if f.Unfit != nil {
			out.Unfit, out.Probes = f.Unfit(f, j, max(out.Wait, out.Paused.Sub(f.Now)))
		}
		return out
	}
	return Wish{}
}

// acts reports whether draingate may do something for the group: the job asks
// for it with draingate_park, and does not say that it is only to be observed.
func acts(job *model.Job, group string, o model.Overrides) bool {
	mode, _ := job.MetaFor(group, metaMode)
	mode = cmp.Or(o.Values[model.OverrideMode], mode, string(model.ModeEnforce))
	return mode == string(model.ModeEnforce)
}

// tags are those of an instance that Nomad registered, also where it has left the
// catalog since.
func (f Facts) tags() []string {
	for _, r := range slices.Concat(f.Catalog.Value, f.Known) {
		if r.AllocID != "" {
			return r.Tags
		}
	}
	return nil
}

func prefixes(proxies model.Fact[[]model.Proxy]) []string {
	var out []string
	for _, p := range proxies.Value {
		if p.Settings.Known() {
			out = append(out, p.Settings.Value.Prefix)
		}
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) == 0 {
		return []string{"traefik"}
	}
	return out
}

// Services are those of a job that ask to be parked for or are to be paused,
// sorted.
func Services(job *model.Job, o model.Overrides) []string {
	var out []string
	for i := range job.Groups {
		text, asks := job.MetaFor(job.Groups[i].Name, MetaPark)
		for _, s := range job.Groups[i].AllServices() {
			until := PausedUntil(o, s.Name)
			if cmp.Or(s.Provider, model.ProviderConsul) == model.ProviderConsul && (asks && text != "" || !until.IsZero()) {
				out = append(out, s.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
