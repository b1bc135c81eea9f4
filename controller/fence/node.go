package fence

import (
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// GuardAfter is how long an instance sees that a pause is owed before it pauses
// itself.
const GuardAfter = 2 * time.Second

// Apply returns what the instance is to do on its node. What it reads as not
// known stays as it is, but for fences that are not armed: those are lifted
// where their record could not be read for two TTL.
func Apply(in NodeInput) (NodeAction, NodeMemory) {
	m := recognize(in)
	n := node{NodeInput: in, m: m, out: NodeAction{Set: map[string]string{}, Acks: map[string]string{}}}
	for _, s := range m.Records {
		n.consider(s)
	}
	n.apply()
	slices.Sort(n.out.Lift)
	return n.out, n.m
}

// node is one evaluation of Apply.
type node struct {
	NodeInput
	m   NodeMemory
	out NodeAction
	// wants and keeps have the services of the node that are to be in maintenance,
	// and that are to stay in it, by the deployment whose reason they get; drops
	// those that only a record in the memory names, where none can be read.
	wants, keeps, drops map[string]string
}

// recognize brings the memory up to what was read.
func recognize(in NodeInput) NodeMemory {
	m := NodeMemory{Read: in.Memory.Read}
	if m.Read.IsZero() {
		m.Read = in.Now
	}
	if !in.Records.Known() {
		m.Records = slices.Clone(in.Memory.Records)
		for i := range m.Records {
			// A session that still lived when it was last seen may have ended by now.
			m.Records[i].Locked = m.Records[i].Locked && in.Now.Sub(m.Read) <= 2*in.TTL
		}
	} else {
		m.Read = in.Records.At
		for _, h := range in.Records.Value {
			m.Records = append(m.Records, in.Memory.sighting(h, in.Now))
		}
		m.Records = append(m.Records, in.Memory.deleted(m.Records)...)
	}
	for i := range m.Records {
		standing, asked := in.Standings[m.Records[i].Record.Deployment]
		m.Records[i].Over = since(m.Records[i].Over, asked && standing.over(), in.Now)
	}
	return m
}

// sighting is the record as known from now on.
func (m NodeMemory) sighting(h Held, now time.Time) Sighting {
	for _, s := range m.Records {
		if s.Record.Deployment == h.Record.Deployment && s.Record.Mark == h.Record.Mark {
			return Sighting{Held: h, Since: s.Since, Over: s.Over}
		}
	}
	return Sighting{Held: h, Since: now}
}

// deleted are the records that are not there any more although they were armed
// when they were last seen: Nomad may still stop what they fence.
func (m NodeMemory) deleted(now []Sighting) []Sighting {
	var out []Sighting
	for _, s := range m.Records {
		there := slices.ContainsFunc(now, func(o Sighting) bool { return o.Record.Deployment == s.Record.Deployment })
		if !there && s.Record.Step == StepArmed {
			s.Locked = false
			out = append(out, s)
		}
	}
	return out
}

// consider takes in what one record says about the node.
func (n *node) consider(s Sighting) {
	r := s.Record
	n.keeps = n.add(n.keeps, r.Kept, r.Deployment)
	mine := slices.ContainsFunc(r.Set, func(t Target) bool { return t.Node == n.Node })
	if !n.Records.Known() {
		n.drops = n.add(n.drops, r.Set, r.Deployment)
	}
	n.guard(s)
	switch {
	case !mine:
	case r.Step == StepFencing && s.Locked && n.Records.Known():
		n.want(r)
	case r.Step == StepFencing && s.Locked:
		// What cannot be read may have changed, or not: neither set nor lift.
		n.keeps = n.add(n.keeps, r.Set, r.Deployment)
	case r.Step == StepArmed && s.Locked && n.Records.Known():
		n.want(r)
	case r.Step == StepArmed:
		n.release(s)
	}
}

func (n *node) want(r Record) {
	n.wants = n.add(n.wants, r.Set, r.Deployment)
	if n.quiet(r) {
		n.out.Acks[r.Deployment] = r.Mark
	}
}

// add puts the services of the node into a map, which it makes where there is none.
func (n *node) add(to map[string]string, targets []Target, deployment string) map[string]string {
	if to == nil {
		to = map[string]string{}
	}
	for _, t := range targets {
		for _, id := range t.Services {
			if t.Node == n.Node {
				to[id] = deployment
			}
		}
	}
	return to
}

// quiet reports whether each service of the set that is registered on the node
// was seen in maintenance, whoever set it, after the record was read.
func (n *node) quiet(r Record) bool {
	if !n.Locals.Known() || n.Locals.At.Before(n.Records.At) {
		return false
	}
	for _, t := range r.Set {
		for _, id := range t.Services {
			i := slices.IndexFunc(n.Locals.Value, func(l Local) bool { return l.ID == id })
			if t.Node == n.Node && i >= 0 && !n.Locals.Value[i].Maintenance {
				return false
			}
		}
	}
	return true
}

// release keeps what an armed record without its lock fences until it is certain
// that nothing will stop it any more.
func (n *node) release(s Sighting) {
	n.ask(s)
	for _, t := range s.Record.Set {
		if !n.released(s, t.Alloc) {
			n.keeps = n.add(n.keeps, []Target{t}, s.Record.Deployment)
		}
	}
}

func (n *node) released(s Sighting, alloc string) bool {
	st, asked := n.Standings[s.Record.Deployment]
	if !asked || s.Locked || !st.Read.After(s.Since.Add(Window+Slack)) || st.Told[alloc] {
		return false
	}
	switch {
	case st.over() && (!st.Promoted && !st.Gone || st.Status == model.DeploymentSuccessful):
		return true
	case st.over():
		// The read must be that much later: Now may be long after it began.
		return st.Read.Sub(s.Over) > Settle
	case s.Record.Call == CallPromote:
		return !st.Promoted
	default:
		return st.Status == model.DeploymentPaused
	}
}

// guard pauses a deployment that goes on without the pause that is owed. Every
// instance does so, whatever its node has of the set: the one there may have led,
// and have died with the leader. It asks once the leader is late, so that nobody
// does where all goes well.
func (n *node) guard(s Sighting) {
	r := s.Record
	if r.Step != StepArmed || r.Call != CallResume || r.Final || !n.Now.After(s.Since.Add(GuardAfter)) {
		return
	}
	n.ask(s)
	st, asked := n.Standings[s.Record.Deployment]
	told := slices.ContainsFunc(s.Record.Set, func(t Target) bool { return st.Told[t.Alloc] })
	if asked && st.Read.After(s.Since.Add(GuardAfter)) && st.Status == model.DeploymentRunning && told {
		n.out.Pause = append(n.out.Pause, s.Record.Key())
	}
}

func (n *node) ask(s Sighting) {
	if !slices.Contains(n.out.Ask, s.Record.Key()) {
		n.out.Ask = append(n.out.Ask, s.Record.Key())
	}
}

// apply compares what is to be with what is. It touches no maintenance that
// someone else set.
func (n *node) apply() {
	if !n.Locals.Known() {
		return
	}
	for _, l := range n.Locals.Value {
		_, ours := n.Keys.Ours(l.Reason)
		want, wanted := n.wants[l.ID]
		_, kept := n.keeps[l.ID]
		_, dropped := n.drops[l.ID]
		switch {
		case wanted && !l.Maintenance:
			n.out.Set[l.ID] = n.Keys.Reason(want)
		case l.Maintenance && ours && !wanted && !kept && (dropped || n.Records.Known()):
			n.out.Lift = append(n.out.Lift, l.ID)
		}
	}
	// A record that only the memory holds is forgotten with its last fence.
	n.m.Records = slices.DeleteFunc(n.m.Records, func(s Sighting) bool { return n.Records.Known() && n.spent(s) })
}

// spent reports whether the record was deleted and nothing on the node is in a
// maintenance of its deployment any more.
func (n *node) spent(s Sighting) bool {
	if slices.ContainsFunc(n.Records.Value, func(h Held) bool { return h.Record.Deployment == s.Record.Deployment }) {
		return false
	}
	return !slices.ContainsFunc(n.Locals.Value, func(l Local) bool {
		return l.Maintenance && l.Reason == n.Keys.Reason(s.Record.Deployment)
	})
}
