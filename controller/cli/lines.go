package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// lines is a view of one line for each change, for logs and pipes.
type lines struct {
	out  io.Writer
	json bool
	// known is what the lines so far amount to, by deployment.
	known map[string]status.Deployment
	// lost is true while there are no events.
	lost bool
}

func (l *lines) begin(list []status.Deployment) error { return l.differences(list) }

func (l *lines) tick(func() ([]status.Deployment, error)) error { return nil }

func (l *lines) end() {}

func (l *lines) change(n news, read func() ([]status.Deployment, error)) error {
	switch {
	case n.trouble != "":
		l.lost = true
		return l.remark("lost the events: " + n.trouble)
	case n.event != nil && n.event.Type != status.EventGap:
		return l.event(*n.event)
	}
	var said error
	if l.lost && !n.polling {
		said = l.remark("connected again")
	}
	l.lost = false
	if n.resumed && n.event == nil {
		return said // what happened in between follows as events
	}
	list, err := read()
	if err != nil {
		return errors.Join(said, l.remark("cannot read the deployments: "+err.Error()))
	}
	return errors.Join(said, l.differences(list))
}

// event prints an event, unless the lines so far have it.
func (l *lines) event(e status.Event) error {
	d, known := l.known[e.Deployment]
	if !known {
		d.Status = e.Status
	}
	d.ID, d.Namespace, d.Job, d.JobVersion, d.Mode = e.Deployment, e.Namespace, e.Job, e.JobVersion, e.Mode
	old := d
	switch e.Type {
	case status.EventDecision:
		d.Decision, d.Reason = e.Decision, e.Reason
	case status.EventStatus:
		d.Status = e.Status
	case status.EventCondition:
		if e.Condition == nil {
			return nil
		}
		d.Conditions = with(d.Conditions, *e.Condition)
	default:
		return nil // of a newer version than this
	}
	d.Message = e.Message
	l.known[e.Deployment] = d
	return l.print(e.At, old, d)
}

// differences prints what is not as the lines so far have it.
func (l *lines) differences(list []status.Deployment) error {
	var errs []error
	for _, d := range list {
		old := l.known[d.ID]
		l.known[d.ID] = d
		errs = append(errs, l.print(d.Observed, old, d))
	}
	return errors.Join(errs...)
}

// print prints one line for each difference.
func (l *lines) print(at time.Time, old, now status.Deployment) error {
	var errs []error
	if old.Status != now.Status {
		errs = append(errs, l.line(at, now, "status", now.Status, ""))
	}
	for _, c := range now.Conditions {
		if before := conditionOf(old, c.Type); before.Status != c.Status || before.Reason != c.Reason {
			errs = append(errs, l.line(at, now, c.Type, c.Status+" "+c.Reason, c.Message))
		}
	}
	if old.Decision != now.Decision || old.Reason != now.Reason {
		errs = append(errs, l.line(at, now, "decision", now.Decision+" "+now.Reason, now.Message))
	}
	return errors.Join(errs...)
}

func (l *lines) line(at time.Time, d status.Deployment, what, is, why string) error {
	if l.json {
		return json.NewEncoder(l.out).Encode(map[string]any{
			"at": at.UTC(), "deployment": d.ID, "namespace": d.Namespace, "job": d.Job, "jobVersion": d.JobVersion, "what": what, "is": is, "message": why,
		})
	}
	text := fmt.Sprintf("%s %s/%s version %d (%s) %s: %s", clock(at), d.Namespace, d.Job, d.JobVersion, model.Short(d.ID), what, strings.TrimSpace(is))
	if why != "" {
		text += ": " + why
	}
	_, err := fmt.Fprintln(l.out, plain(text))
	return err
}

// remark prints a line about the watch itself.
func (l *lines) remark(text string) error {
	if l.json {
		return json.NewEncoder(l.out).Encode(map[string]any{"at": time.Now().UTC(), "what": "watch", "message": text})
	}
	_, err := fmt.Fprintln(l.out, plain(clock(time.Now())+" watch: "+text))
	return err
}

func conditionOf(d status.Deployment, kind string) status.Condition {
	for _, c := range d.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return status.Condition{}
}

// with returns the conditions with one of them replaced or added.
func with(list []status.Condition, c status.Condition) []status.Condition {
	out := make([]status.Condition, 0, len(list)+1)
	found := false
	for _, old := range list {
		if old.Type == c.Type {
			old, found = c, true
		}
		out = append(out, old)
	}
	if !found {
		out = append(out, c)
	}
	return out
}
