package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// What is to be failed is not passed over as nothing to decide.
func TestWhatComesAfterTheHoldDeadline(t *testing.T) {
	for name, tt := range map[string]struct {
		mode   model.Mode
		dryRun bool
		want   string
	}{
		"it is failed":               {model.ModeEnforce, false, "fails it. Nomad stops the canaries"},
		"not in a dry run":           {model.ModeEnforce, true, "To fail it by hand: `nomad deployment fail d1`"},
		"not where it only observes": {model.ModeObserve, false, "To fail it by hand: `nomad deployment fail d1`"},
	} {
		t.Run(name, func(t *testing.T) {
			d := status.Detail{Deployment: status.Deployment{ID: "d1", Decision: string(model.Fail), Mode: string(tt.mode), DryRun: tt.dryRun}}
			require.Contains(t, next(d), tt.want)
		})
	}
}

func TestWhatComesAfterAFence(t *testing.T) {
	for name, tt := range map[string]struct {
		mode   model.Mode
		dryRun bool
		want   string
	}{
		"it goes on by itself":       {model.ModeEnforce, false, "sees that every proxy has dropped them"},
		"not in a dry run":           {model.ModeEnforce, true, "Nothing: in a dry run"},
		"not where it only observes": {model.ModeObserve, false, "`nomad deployment promote d1`"},
	} {
		t.Run(name, func(t *testing.T) {
			d := status.Detail{Deployment: status.Deployment{ID: "d1", Decision: string(model.Fence), Mode: string(tt.mode), DryRun: tt.dryRun}}
			require.Contains(t, next(d), tt.want)
		})
	}
}

func TestEachStepOfAFenceIsSaid(t *testing.T) {
	for want, f := range map[string]status.Fence{
		"It is done: each old instance was stopped as planned.":                                  {Step: "ended"},
		"The one attempt came to nothing: No proof. What was not told to stop is back":           {Step: "ended", Reason: "FenceAborted", Message: "no proof"},
		"It was armed to promote, and whoever wrote it leads no more. It stands until Nomad":     {Step: "armed", Call: "promote"},
		"Every proxy has dropped the instances, and draingate is about to promote":               {Step: "armed", Call: "promote", Locked: true},
		"Whoever wrote it leads no more: each draingate takes its instances back into rotation.": {Step: "fencing"},
		"Old instances are taken out of rotation. Once every proxy is seen to have dropped":      {Step: "fencing", Locked: true},
	} {
		require.Contains(t, fenceSentence(f), want)
	}
}
