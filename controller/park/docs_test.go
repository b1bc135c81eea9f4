package park_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

var documentedRow = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.*?) \\| (.*) \\|$")

func TestEveryReasonIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/reasons.md")
	require.NoError(t, err)
	_, parks, there := strings.Cut(string(page), "\n## Parks\n")
	require.True(t, there)
	var documented []park.Explanation
	for _, cells := range documentedRow.FindAllStringSubmatch(parks, -1) {
		documented = append(documented, park.Explanation{Reason: model.Reason(cells[1]), Meaning: cells[2], Remedy: cells[3]})
	}
	if diff := cmp.Diff(park.Explanations(), documented); diff != "" {
		t.Errorf("docs/reasons.md (+) says otherwise than explain.go (-):\n%s", diff)
	}
}

var declaredReason = regexp.MustCompile(`(?m)^\s*(Reason\w+)\s+model\.Reason = "(\w+)"`)

func TestEveryReasonOfAParkIsExplained(t *testing.T) {
	for _, file := range []string{"reasons.go", "fitreasons.go"} {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		all := declaredReason.FindAllStringSubmatch(string(source), -1)
		require.NotEmpty(t, all)
		for _, found := range all {
			_, ok := park.Explain(model.Reason(found[2]))
			require.True(t, ok, found[1])
		}
	}
	_, ok := park.Explain("Nonsense")
	require.False(t, ok)
}
