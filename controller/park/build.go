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
	// Clash says what a placeholder with these tags defines otherwise than an instance
	// that proxies take from the catalog; the zero Finding for nothing, nil for never.
	Clash func(f Facts, tags []string) Finding
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
	if w.Record != nil && f.Clash != nil {
		w.Clash = f.Clash(f, w.Record.Tags)
	}
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
