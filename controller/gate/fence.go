package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// fences reports whether old instances are to be taken out of rotation before
// the promotion: where that is wanted, and the stop side is not safe without.
func (v *view) fences() bool {
	unsafe := func(w model.Window) bool { return w.Verdict != model.VerdictSafe }
	switch v.fence {
	case model.FenceAlways:
		return len(v.windows) > 0
	case model.FenceAuto:
		return slices.ContainsFunc(v.windows, unsafe)
	default:
		return false
	}
}

// fencePlan is what a fence would do now, and what is known against it.
type fencePlan struct {
	fence.Plan
	// unclear says why the plan cannot be predicted; empty where it can.
	unclear string
	// unfit speaks against fencing what is predicted.
	unfit fence.Finding
}

// planFence is worked out once for each decision; nil where nothing is to be
// fenced.
func (v *view) planFence() *fencePlan {
	if !v.fences() {
		return nil
	}
	w := v.fenceWorld()
	plan, unclear := fence.Predict(w)
	return &fencePlan{Plan: plan, unclear: unclear, unfit: fence.Unfit(w, plan.Set)}
}

// instead adds to what is in the way of a fence what would do without one.
func (v *view) instead(message string) string {
	for _, find := range []func(*view) string{drainUnknown, drainMasked, drainUnsafe} {
		if why := find(v); why != "" {
			return message + ". Without a fence: " + why
		}
	}
	return message
}

func fenceAborted(v *view) string {
	if v.planned == nil || v.record == nil || v.record.Step != fence.StepEnded || v.record.Reason == "" {
		return ""
	}
	return v.instead("the one attempt to take the old instances out of rotation came to nothing: " + strings.TrimSuffix(v.record.Message, "."))
}

// fenceIneffective finds a proxy that a maintenance does not keep from routing,
// or that may load a catalog from before it.
func fenceIneffective(v *view) string {
	if v.planned == nil {
		return ""
	}
	return v.eachPool(func(_ group, p pool) string {
		s := p.proxy.Settings.Value
		switch {
		case !p.exposed:
		case s.Stale:
			return v.instead(fmt.Sprintf("proxy %s has consulCatalog.stale = true, so that it may bring back an instance that it has dropped", p.proxy.Name))
		case s.Cache:
			return v.instead(fmt.Sprintf("proxy %s has consulCatalog.cache = true, so that it may bring back an instance that it has dropped", p.proxy.Name))
		case slices.ContainsFunc(s.StrictChecks, func(c string) bool {
			return strings.EqualFold(c, "any") || strings.EqualFold(c, model.StatusMaintenance)
		}):
			return v.instead(fmt.Sprintf("proxy %s accepts instances in maintenance: consulCatalog.strictChecks = %s", p.proxy.Name, strings.Join(s.StrictChecks, ", ")))
		}
		return ""
	})
}

// fenceUnpredictable asks for more than setNotPredictable, which has found
// nothing where this is asked: a fence must know each instance by its name.
func fenceUnpredictable(v *view) string {
	if v.planned == nil || v.planned.unclear == "" {
		return ""
	}
	return v.instead("it cannot be predicted which old instances the promotion stops: " + v.planned.unclear)
}

func capacityTooLow(v *view) string { return v.unfit(fence.ReasonCapacityTooLow) }

func noFencerOnNode(v *view) string {
	if v.planned != nil && !v.Snapshot.Fence.Fresh(v.Now, MaxAge) {
		return v.instead("it is not known on which nodes there is a draingate: " + v.Snapshot.Fence.Problem(v.Now, MaxAge))
	}
	return v.unfit(fence.ReasonNoFencerOnNode)
}

// unfit is what speaks with this reason against fencing what is predicted.
func (v *view) unfit(reason model.Reason) string {
	if v.planned == nil || v.planned.unfit.Reason != reason {
		return ""
	}
	return v.instead(v.planned.unfit.Message)
}

// fenceFirst is what is done where nothing is in the way of a fence.
func fenceFirst(v *view) string {
	if v.planned == nil {
		return ""
	}
	message := fmt.Sprintf("take %s out of rotation, see that every proxy has dropped them, then promote", strings.Join(fence.Names(v.planned.Set), ", "))
	if left := v.planned.Left; left > 0 {
		message += fmt.Sprintf("; %s left after that, batch by batch", plural(left, "old instance is", "old instances are"))
	}
	return message
}
