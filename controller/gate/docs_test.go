package gate

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// Whoever meets a reason in the status or a metric must find it explained, in
// the order in which the chain looks for it.
func TestEveryReasonIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/reasons.md")
	require.NoError(t, err)
	var documented []string
	for _, line := range strings.Split(string(page), "\n") {
		if cell, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ := strings.Cut(cell, "`")
			documented = append(documented, name)
		}
	}
	var declared []string
	for _, verb := range []model.Verb{model.None, model.Promote, model.Fail, model.Hold} {
		for _, r := range Reasons() {
			if r.Verb == verb {
				declared = append(declared, string(r.Reason))
			}
		}
	}
	require.Equal(t, declared, documented)
}
