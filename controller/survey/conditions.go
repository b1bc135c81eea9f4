package survey

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/draingate/draingate/controller/judge"
	"github.com/draingate/draingate/controller/model"
)

// maxConditions bounds how many deployments are remembered; beyond it all are
// forgotten, which costs one more judgement each.
const maxConditions = 4096

// Conditions judges the version that a deployment is of, and remembers the
// outcome for as long as nothing changes that it rests on: a deployment that
// waits is looked at twice a second. It is safe for concurrent use.
type Conditions struct {
	judge *judge.Judge

	mu    sync.Mutex
	known map[model.Key]judged
}

type judged struct {
	on        basis
	condition model.Condition
}

// NewConditions returns Conditions that have judged nothing yet.
func NewConditions(j *judge.Judge) *Conditions {
	return &Conditions{judge: j, known: map[model.Key]judged{}}
}

// Of returns the condition JobSound of the deployment in the snapshot. A panic
// in a rule makes it Unknown: the rules inform, and must not end a pass.
func (c *Conditions) Of(s model.Snapshot) (out model.Condition) {
	defer func() {
		if r := recover(); r != nil {
			out = model.Condition{Type: model.JobSound, Status: model.Unknown, Reason: judge.ReasonRulesFailed, Message: fmt.Sprintf("the rules could not be applied: %v", r)}
		}
	}()
	on := basisOf(s)
	c.mu.Lock()
	last, ok := c.known[s.Key]
	c.mu.Unlock()
	if ok && reflect.DeepEqual(last.on, on) {
		return last.condition
	}
	out = c.judge.Condition(s)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxConditions {
		clear(c.known)
	}
	c.known[s.Key] = judged{on, out}
	return out
}

// basis is what a condition rests on. A version of a job never changes.
type basis struct {
	job, against version
	jobErr       string
	settings     []proxyBasis
	proxiesErr   string
	load         model.Load
	loadErr      string
	loadKnown    bool
}

type version struct{ number, index uint64 }

type proxyBasis struct {
	name, version, problem string
	settings               model.ProxySettings
}

func basisOf(s model.Snapshot) basis {
	out := basis{
		job: version{s.Job.Value.Version, s.Job.Value.ModifyIndex}, jobErr: s.Job.Err,
		settings: settingsOf(s.Proxies), proxiesErr: s.Proxies.Err,
		load: s.Load.Value, loadErr: s.Load.Err, loadKnown: s.Load.Known(),
	}
	if against := judge.Running(s); against != nil {
		out.against = version{against.Version + 1, against.ModifyIndex}
	}
	return out
}

func settingsOf(proxies model.Fact[[]model.Proxy]) []proxyBasis {
	var out []proxyBasis
	for _, p := range proxies.Value {
		out = append(out, proxyBasis{name: p.Name, version: p.Version, problem: p.Ambiguous + p.Settings.Err, settings: p.Settings.Value})
	}
	return out
}
