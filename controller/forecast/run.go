package forecast

import (
	"slices"
	"time"
)

// Step is a length of time in which nothing changes.
type Step struct {
	From, To time.Duration
	// OldServing and NewServing are how many instances answer requests, OldListed
	// and NewListed how many are in the proxy's pool, whatever they do.
	OldServing, NewServing int
	OldListed, NewListed   int
	// Start and Stop are the share of requests that is lost on either side.
	Start, Stop float64
}

// loss is what a deploy loses on either side, as a length of time.
type loss struct{ start, stop time.Duration }

func (l loss) total() time.Duration { return l.start + l.stop }

// run follows a deploy at one phase. Each is called for every step, in order;
// it may be nil.
func (d Deploy) run(c chance, when promoter, each func(Step)) (loss, schedule) {
	s := d.plan(c, when)
	reloads := d.Proxy.at(c).reloads(s.all)
	begin := begins(s.all)
	var start, stop float64
	for i, r := range reloads {
		in := span{begin, never}
		if i > 0 {
			in.from = r.at
		}
		if i+1 < len(reloads) {
			in.to = reloads[i+1].at
		}
		d.under(s.all, r, in, func(st Step) {
			start += st.Start * float64(st.To-st.From)
			stop += st.Stop * float64(st.To-st.From)
			if each != nil {
				each(st)
			}
		})
	}
	return loss{time.Duration(start), time.Duration(stop)}, s
}

// begins is when a deploy begins to matter: at its submission, or with the
// first request that was sent before and that an old instance does not outlast.
func begins(all []*cohort) time.Duration {
	var first time.Duration
	for _, k := range all {
		if k.old {
			first = min(first, k.serves.to)
		}
	}
	return first
}

// member is a cohort in a pool, with when the proxy has it DOWN.
type member struct {
	*cohort
	down []span
}

func (m member) isDown(t time.Duration) bool {
	return slices.ContainsFunc(m.down, func(s span) bool { return s.has(t) })
}

// under follows a deploy through the time in which one configuration is in
// force. Nothing is lost in what comes after the last change.
func (d Deploy) under(all []*cohort, r reload, in span, each func(Step)) {
	var members []member
	edges := []time.Duration{in.from, in.to}
	for _, k := range all {
		edges = append(edges, k.up.from, k.up.to, k.serves.from, k.serves.to)
	}
	for _, k := range r.pool {
		m := member{k, d.Proxy.down(k, r.at)}
		for _, s := range m.down {
			edges = append(edges, s.from, s.to)
		}
		members = append(members, m)
	}
	slices.Sort(edges)
	from := in.from
	for _, to := range slices.Compact(edges) {
		if to <= from || to > in.to {
			continue
		}
		if to >= never {
			to = from + 1 // the last state, which lasts
		}
		st := d.at(all, members, from)
		st.From, st.To = from, to
		each(st)
		from = to
	}
}

// at counts at one moment.
func (d Deploy) at(all []*cohort, members []member, t time.Duration) Step {
	var st Step
	for _, k := range all {
		if k.serves.has(t) {
			count(k, &st.OldServing, &st.NewServing)
		}
	}
	var p pool
	for _, m := range members {
		count(m.cohort, &st.OldListed, &st.NewListed)
		switch {
		case m.isDown(t):
		case m.serves.has(t):
			p.good += m.size
		case !m.up.has(t):
			p.gone += m.size
		case t < m.serves.from:
			p.warming += m.size
		default:
			p.cut += m.size
		}
	}
	st.Start, st.Stop = p.lost(d.Proxy.Attempts)
	return st
}

func count(k *cohort, old, fresh *int) {
	if k.old {
		*old += k.size
		return
	}
	*fresh += k.size
}
