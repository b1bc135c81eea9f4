package park

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"time"
)

// stays reports whether an instance is there that nobody told to stop. It may come
// back, as from a pause: a person who resumes leaves no word of the job behind.
func (w *World) stays() bool {
	return slices.ContainsFunc(w.Instances, func(i Instance) bool { return !i.Going })
}

// bring brings a record up to what is so now.
func (w *World) bring(r *Record) {
	if w.Wish.Job != "" {
		if r.Job != "" && w.another(*r) && !r.Gap.IsZero() {
			// Another version is another promise.
			r.Gap = w.Now
		}
		r.Namespace, r.Job, r.Group, r.Version = w.Wish.Namespace, w.Wish.Job, w.Wish.Group, w.Wish.Version
	}
	r.Nodes = Choose(r.Nodes, w.able(r.Nodes), w.oldNodes())
	r.Addresses = w.addresses(r.Addresses)
	r.Going = merge(r.Going, w.Going)
	r.ByHand = w.paused()
	r.Wait = cmp.Or(w.Wish.Wait, r.Wait)
	r.Throttle = max(r.Throttle, w.Pools.Throttle)
	r.Served = since(r.Served, w.served(), w.Now)
	r.Fenced = nil
	switch {
	case r.ByHand:
		r.Wait = max(w.Wish.Wait, handTime, w.Wish.Paused.Sub(w.Now).Round(time.Second))
		if w.Record != nil {
			// What was written once stays, so that nothing changes with each pass.
			r.Wait = max(r.Wait, w.Record.Wait)
		}
		r.Until, r.Gap = w.Wish.Paused, time.Time{}
		if w.inPlace() || w.Record != nil && len(w.Record.Fenced) > 0 {
			r.Fenced = w.targets()
		}
	case w.answers():
		r.Gap, r.Until = time.Time{}, time.Time{}
	default:
		if r.Gap.IsZero() {
			r.Gap = w.Now
		}
		r.Until = r.Gap.Add(r.Wait)
	}
}

// able are those who can park. A node whose placeholder answers its check goes on,
// whatever became of its word: a session ends sooner than what it stands for, and with the
// last node requests would have nowhere to go.
func (w *World) able(before []string) map[string]Presence {
	out := map[string]Presence{}
	maps.Copy(out, w.Parkers)
	for _, i := range w.Placeholders {
		if i.Passing && slices.Contains(before, i.Node) {
			out[i.Node] = Presence{}
		}
	}
	return out
}

// targets are the real instances, which a pause takes out.
func (w *World) targets() []Target {
	var out []Target
	for _, i := range w.Instances {
		if !i.Going {
			out = append(out, Target{Node: i.Node, Service: i.ID})
		}
	}
	slices.SortFunc(out, func(a, b Target) int { return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Service, b.Service)) })
	return out
}

// merge takes over what is going now; when each ends stays as it was first told,
// and where it serves as it was last seen.
func merge(before, now []Going) []Going {
	out := slices.Clone(now)
	for i, g := range out {
		for _, b := range before {
			if b.Alloc == g.Alloc {
				out[i].Until, out[i].Address = b.Until, cmp.Or(g.Address, b.Address)
			}
		}
	}
	return out
}

// changed reports whether a record says something else than the stored one.
func (w *World) changed(r Record) bool {
	before := *w.Record
	if before.Gap.Equal(r.Gap) {
		before.Gap = r.Gap
	}
	if before.Until.Equal(r.Until) {
		before.Until = r.Until
	}
	if before.Served.Equal(r.Served) {
		before.Served = r.Served
	}
	return !reflect.DeepEqual(normal(before), normal(r))
}

// normal is a record without the difference between no and an empty list.
func normal(r Record) Record {
	r = r.clone()
	if len(r.Nodes) == 0 {
		r.Nodes = nil
	}
	if len(r.Going) == 0 {
		r.Going = nil
	}
	if len(r.Fenced) == 0 {
		r.Fenced = nil
	}
	if len(r.Addresses) == 0 {
		r.Addresses = nil
	}
	for i := range r.Going {
		r.Going[i].Until = r.Going[i].Until.Round(0).UTC()
	}
	return r
}
