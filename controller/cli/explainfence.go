package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// fenced is the fence of a deployment with who has carried it out.
type fenced struct {
	status.Fence
	// Confirmed are the nodes on which a draingate has the instances of the set in
	// maintenance.
	Confirmed []string `json:"confirmed"`
}

// fenceFor asks for the fence of a deployment; nil where it has none, or the
// controller cannot say.
func fenceFor(ctx context.Context, client *status.Client, deployment string) (*fenced, error) {
	list, err := client.Fences(ctx)
	if _, answered := errors.AsType[*status.APIError](err); answered {
		return nil, nil // an older controller, or one that cannot read Consul, which the decision says
	}
	i := slices.IndexFunc(list.Fences, func(f status.Fence) bool { return f.Deployment == deployment })
	if err != nil || i < 0 {
		return nil, err
	}
	out := &fenced{Fence: list.Fences[i], Confirmed: []string{}}
	for _, f := range list.Fencers {
		if slices.Contains(f.Acknowledged, deployment) {
			out.Confirmed = append(out.Confirmed, f.Node)
		}
	}
	slices.Sort(out.Confirmed)
	out.Confirmed = slices.Compact(out.Confirmed)
	return out, nil
}

// sayFence says how far the fence is, instance by instance.
func sayFence(w io.Writer, e explanation, now time.Time) {
	if e.Fence == nil {
		return
	}
	heading(w, fmt.Sprintf("The fence (written %s ago by %s):", age(now, e.Fence.Written), plain(e.Fence.Owner)))
	say(w, "%s", fenceSentence(e.Fence.Fence))
	for _, i := range e.Fence.Set {
		is := "to be out of rotation; the draingate on " + i.Node + " has not confirmed it yet"
		if slices.Contains(e.Fence.Confirmed, i.Node) {
			is = "out of rotation in Consul, which the draingate on " + i.Node + " confirms"
		}
		say(w, "%s (%s) is %s.", i.Name, model.Short(i.Allocation), is)
	}
	for _, i := range e.Fence.Kept {
		say(w, "%s (%s) on %s was told to stop, and stays out of rotation until it has ended.", i.Name, model.Short(i.Allocation), i.Node)
	}
	if e.Fence.Pause {
		say(w, "A pause of the deployment is draingate's: it resumes it by itself, batch by batch. `draingate unpause %s` ends it without a fence.", e.Job)
	}
}

func fenceSentence(f status.Fence) string {
	switch {
	case f.Step == fenceEnded && f.Reason == "":
		return "It is done: each old instance was stopped as planned."
	case f.Step == fenceEnded:
		return "The one attempt came to nothing: " + sentence(f.Message) + " What was not told to stop is back in rotation."
	case f.Step == "armed" && !f.Locked:
		return "It was armed to " + f.Call + ", and whoever wrote it leads no more. It stands until Nomad says whether the instances are stopped."
	case f.Step == "armed":
		return "Every proxy has dropped the instances, and draingate is about to " + f.Call + " the deployment."
	case !f.Locked:
		return "Whoever wrote it leads no more: each draingate takes its instances back into rotation."
	default:
		return "Old instances are taken out of rotation. Once every proxy is seen to have dropped them, and the longest request is over, draingate goes on."
	}
}

// nextOfFence says what happens next where old instances are to be fenced.
func nextOfFence(d status.Detail) string {
	if d.DryRun || d.Mode != string(model.ModeEnforce) {
		return "Nothing: in a dry run, or in a mode other than enforce, draingate takes no instance out of rotation. To promote it by hand, without a fence: `nomad deployment promote " + d.ID + "`."
	}
	return "draingate takes the old instances that the promotion stops out of rotation, sees that every proxy has dropped them, waits for the longest request, reads everything once more and promotes. " +
		"Whatever comes in between, they go back into rotation and the deployment is held: there is one attempt."
}
