package gate

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

var documentedRow = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.*?) \\| (.*) \\|$")

// Whoever meets a reason in the status or a metric must find it explained, in
// the order in which the chain looks for it, and in the words that `draingate
// explain` prints.
func TestEveryReasonIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/reasons.md")
	require.NoError(t, err)
	type row struct {
		Reason          string
		Meaning, Remedy string
	}
	var documented, declared []row
	decisions, _, there := strings.Cut(string(page), "\n## Parks\n") // those are of another package
	require.True(t, there)
	for _, cells := range documentedRow.FindAllStringSubmatch(decisions, -1) {
		documented = append(documented, row{cells[1], cells[2], cells[3]})
	}
	for _, verb := range []model.Verb{model.None, model.Promote, model.Fence, model.Fail, model.Hold} {
		for _, r := range Reasons() {
			if r.Verb == verb {
				e, ok := Explain(r.Reason)
				require.True(t, ok, "%s has no entry in explanations", r.Reason)
				declared = append(declared, row{string(r.Reason), e.Meaning, e.Remedy})
			}
		}
	}
	if diff := cmp.Diff(declared, documented); diff != "" {
		t.Errorf("docs/reasons.md (+) says otherwise than explain.go (-):\n%s", diff)
	}
}

func TestBlindReasonsAreThoseOfWhatCannotBeSeen(t *testing.T) {
	for _, r := range []model.Reason{ReasonNomadUnknown, ReasonConsulUnknown, ReasonProxyUnknown, ReasonProxySetUnknown, ReasonProxyAmbiguous, ReasonSettingsUnknown, ReasonContradiction} {
		require.True(t, Blind(r), r)
	}
	for _, r := range []model.Reason{ReasonDrainUnsafe, ReasonDrainUnknown, ReasonCanaryNotHealthy, ReasonWindowRunning, ReasonPromoted, ReasonPredictedSafe} {
		require.False(t, Blind(r), r)
	}
}
