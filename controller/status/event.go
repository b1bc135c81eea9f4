package status

import (
	"time"

	"github.com/draingate/draingate/controller/model"
)

// EventVersion is the version of the form of an Event. Fields may be added
// under the same version; none changes its meaning or goes.
const EventVersion = 1

// The types of an event.
const (
	// EventDecision: the decision or its reason is another one than before, or
	// the deployment was seen for the first time.
	EventDecision = "decision"
	// EventCondition: the status or the reason of a condition changed.
	EventCondition = "condition"
	// EventStatus: Nomad's own status of the deployment changed.
	EventStatus = "status"
	// EventGap: events in between are not kept any more; read /v1/deployments.
	EventGap = "gap"
)

// maxMessage bounds the messages in an event, in bytes, so that a long output
// of a check cannot make the history large.
const maxMessage = 2 << 10

// Event is one change, as /v1/events, the history of a deployment and webhooks
// show it. docs/status.md explains the fields.
type Event struct {
	Version int `json:"version"`
	// ID is unique, also across restarts of the controller, and grows within one.
	ID   string `json:"id"`
	Type string `json:"type"`
	// At is when the reading that showed the change was taken.
	At         time.Time `json:"at"`
	Deployment string    `json:"deployment,omitempty"`
	Namespace  string    `json:"namespace,omitempty"`
	Job        string    `json:"job,omitempty"`
	JobVersion uint64    `json:"jobVersion"`
	Status     string    `json:"status,omitempty"`
	Mode       string    `json:"mode,omitempty"`
	DryRun     bool      `json:"dryRun"`
	// Decision, Reason and Message are the ones that stand after the change,
	// whatever its type.
	Decision string `json:"decision,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Message  string `json:"message,omitempty"`
	// Condition is the one that changed; only with the type condition.
	Condition *Condition `json:"condition,omitempty"`
	// Previous is what stood before; absent where there was nothing.
	Previous *Previous `json:"previous,omitempty"`
}

// Previous is what an event has changed.
type Previous struct {
	// Decision is set with the type decision, Status with the other two.
	Decision string `json:"decision,omitempty"`
	Status   string `json:"status,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// changes are the events that lead from one record to the next, without their
// IDs. A deployment that has already ended when it is first seen, as all have
// after a restart, is no news.
func changes(old model.Record, known bool, now model.Record) []Event {
	base := eventOf(now)
	if !known {
		if terminal(now.Status) {
			return nil
		}
		base.Type = EventDecision
		return []Event{base}
	}
	var out []Event
	if old.Status != now.Status {
		e := base
		e.Type, e.Previous = EventStatus, &Previous{Status: old.Status}
		out = append(out, e)
	}
	out = append(out, conditionChanges(base, old, now)...)
	if old.Decision.Verb != now.Decision.Verb || old.Decision.Reason != now.Decision.Reason {
		e := base
		e.Type = EventDecision
		e.Previous = &Previous{Decision: string(old.Decision.Verb), Reason: string(old.Decision.Reason)}
		out = append(out, e)
	}
	return out
}

func conditionChanges(base Event, old, now model.Record) []Event {
	var out []Event
	before := byPlace(old.Decision.Conditions)
	for i, p := range places(now.Decision.Conditions) {
		c := now.Decision.Conditions[i]
		b, known := before[p]
		if known && b.Status == c.Status && b.Reason == c.Reason {
			continue
		}
		e, condition := base, encodeCondition(c, now.Observed)
		condition.Message = cut(condition.Message)
		e.Type, e.Condition = EventCondition, &condition
		if known {
			e.Previous = &Previous{Status: string(b.Status), Reason: string(b.Reason)}
		}
		out = append(out, e)
	}
	return out
}

func eventOf(r model.Record) Event {
	d := r.Decision
	return Event{
		Version: EventVersion, At: r.Observed.UTC(), Deployment: r.Key.Deployment, Namespace: r.Key.Namespace,
		Job: r.JobID, JobVersion: r.JobVersion, Status: r.Status, Mode: string(d.Mode), DryRun: r.DryRun,
		Decision: string(d.Verb), Reason: string(d.Reason), Message: cut(scrub(d.Message)),
	}
}

// cut shortens a message between two characters.
func cut(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	end := maxMessage
	for end > 0 && text[end]&0xC0 == 0x80 {
		end--
	}
	return text[:end] + "…"
}
