package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/status"
)

// pausePoll is how often pause and resume ask.
const pausePoll = 500 * time.Millisecond

// await asks until it is so, and says what changes in between.
func (w *pausing) await(ctx context.Context, so func(context.Context, status.ParkList) (bool, error), what string) error {
	limit, cancel := context.WithTimeout(ctx, w.flags.timeout)
	defer cancel()
	tick := time.NewTicker(pausePoll)
	defer tick.Stop()
	var last string
	var blind error
	for {
		list, err := w.client.Parks(limit)
		switch {
		case err == nil:
			blind = nil
			if done, err := so(ctx, list); done || err != nil {
				return err
			}
			last = w.progress(list)
			w.say(last)
		case limit.Err() == nil:
			blind = err
			w.say("cannot see how it stands: " + err.Error())
		}
		select {
		case <-limit.Done():
			return w.gaveUp(ctx, what, last, blind)
		case <-tick.C:
		}
	}
}

// gaveUp tells apart why it is not so, and what stays written.
func (w *pausing) gaveUp(ctx context.Context, what, last string, blind error) error {
	stays := ""
	if !w.until.IsZero() {
		stays = fmt.Sprintf(": the pause stays written and ends at %s: %s", clock(w.until), w.howToResume())
	}
	switch {
	case ctx.Err() != nil:
		return exit.With(exit.Usage, fmt.Errorf("wait until service %s is %s: %w%s", plain(w.service), what, errInterrupted, stays))
	case blind != nil:
		return exit.With(exit.CannotSee, fmt.Errorf("ask %s whether service %s is %s: %w%s", w.flags.addr, plain(w.service), what, blind, stays))
	default:
		return exit.With(exit.TimedOut, fmt.Errorf("service %s is not %s after %s (%s)%s", plain(w.service), what, w.flags.timeout, plain(last), stays))
	}
}

// inForce reports whether no proxy routes to an instance any more.
func (w *pausing) inForce(ctx context.Context, list status.ParkList) (bool, error) {
	found := list.Of(w.service)
	switch {
	case found == nil && !list.Now.Before(w.until):
		return true, exit.With(exit.TimedOut, fmt.Errorf("the pause of service %s ended by itself before it was in force", plain(w.service)))
	case found == nil:
		return false, nil
	case found.Reason == string(park.ReasonPaused):
		_, err := fmt.Fprintf(w.program.Stdout, "Service %s is paused: no proxy routes to an instance. %d requests wait; %d are still under way at instances through draingate.\n",
			plain(w.service), waiting(*found), underWay(*found))
		return true, err
	case found.Step == "" && refuses(found.Reason):
		return true, w.refused(ctx, *found)
	default:
		return false, nil
	}
}

// refuses reports whether a reason does not go away by itself.
func refuses(reason string) bool {
	_, known := park.Explain(model.Reason(reason))
	return known && reason != string(park.ReasonNoParker) && reason != string(park.ReasonUnknown)
}

// refused takes the pause back, so that it does not begin when nobody waits for
// it any more.
func (w *pausing) refused(ctx context.Context, found status.Park) error {
	remedy := ""
	if e, known := park.Explain(model.Reason(found.Reason)); known {
		remedy = " " + e.Remedy
	}
	err := fmt.Errorf("service %s cannot be paused: %s: %s%s", plain(w.service), plain(found.Reason), plain(sentence(found.Message)), remedy)
	if _, failed := w.clear(context.WithoutCancel(ctx)); failed != nil {
		return exit.With(exit.Failed, fmt.Errorf("%w It could not be taken back: %w", err, failed))
	}
	return exit.With(exit.Failed, fmt.Errorf("%w The pause was taken back", err))
}

// left reports whether no proxy routes to a placeholder any more.
func (w *pausing) left(_ context.Context, list status.ParkList) (bool, error) {
	found := list.Of(w.service)
	if found != nil && (found.Step == string(park.StepParking) || found.Step == string(park.StepLeaving)) {
		return false, nil
	}
	_, err := fmt.Fprintf(w.program.Stdout, "No proxy routes to a placeholder of service %s.\n", plain(w.service))
	return true, err
}

// say prints a line on Stderr when it changed.
func (w *pausing) say(text string) {
	if text != w.said {
		w.said = text
		w.warn(text)
	}
}

// progress is how far it is. It has no figures that change all the time.
func (w *pausing) progress(list status.ParkList) string {
	found := list.Of(w.service)
	if found == nil {
		return "no draingate has begun to act on it yet"
	}
	parts := []string{found.Reason + ": " + found.Message}
	for _, n := range found.Nodes {
		parts = append(parts, fmt.Sprintf("%s: %s", n.Node, lotSays(n)))
	}
	for _, i := range found.Fenced {
		if !slices.ContainsFunc(list.Parkers, func(k status.Parker) bool { return k.Node == i.Node }) {
			parts = append(parts, "no draingate is on node "+i.Node+", so the instance "+i.ID+" there is not taken out")
		}
	}
	if found.Step == "" {
		parts[0] = "not parked for: " + parts[0]
	}
	return strings.Join(parts, "; ")
}

// lotSays is how far the instance of a node is.
func lotSays(n status.ParkNode) string {
	switch {
	case !n.Present:
		return "no draingate is there any more"
	case n.State == string(park.LotIn):
		return "placeholder at " + n.Address
	case n.State == string(park.LotLeft):
		return "placeholder deregistered, its listener goes on"
	case n.State == string(park.LotClosed):
		return "listener closed"
	default:
		return "has not acted on this yet"
	}
}

func waiting(p status.Park) int {
	sum := 0
	for _, n := range p.Nodes {
		sum += n.Waiting
	}
	return sum
}

func underWay(p status.Park) int {
	sum := 0
	for _, n := range p.Nodes {
		sum += n.UnderWay
	}
	return sum
}
