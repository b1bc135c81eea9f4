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
