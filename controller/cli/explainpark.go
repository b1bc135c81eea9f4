package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/status"
)

// parksFor asks for the parks of a deployment's job: none where it has none, or
// the controller cannot say.
func parksFor(ctx context.Context, client *status.Client, d status.Detail) ([]status.Park, error) {
	list, err := client.Parks(ctx)
	if _, answered := errors.AsType[*status.APIError](err); answered {
		return nil, nil // an older controller, or one that cannot read Consul, which the decision says
	}
	ofJob := func(p status.Park) bool {
		if p.Job != "" {
			return p.Job == d.Job && p.Namespace == d.Namespace
		}
		// What is not parked for is known by its service alone.
		return slices.ContainsFunc(d.Windows, func(w status.Window) bool { return w.Service == p.Service })
	}
	return slices.DeleteFunc(list.Parks, func(p status.Park) bool { return !ofJob(p) }), err
}

// sayParks says how the parks of the job stand.
func sayParks(w io.Writer, e explanation, now time.Time) {
	for _, p := range e.Parks {
		how := "The park of service " + plain(p.Service)
		if p.Step == "" {
			how = "Service " + plain(p.Service) + " is not parked for"
		}
		heading(w, how+" ("+plain(p.Reason)+", for "+age(now, p.Since)+"):")
		say(w, "%s", sentence(p.Message))
		if words, known := park.Explain(model.Reason(p.Reason)); known {
			say(w, "%s", words.Meaning)
			say(w, "What to do: %s", words.Remedy)
		}
		for _, n := range p.Nodes {
			say(w, "%s: %s%s.", n.Node, lotSays(n), figures(n))
		}
	}
}
