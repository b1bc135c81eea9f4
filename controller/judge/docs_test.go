package judge

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// Whoever meets a reason of the condition must find it explained.
func TestEveryReasonIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/reasons.md")
	require.NoError(t, err)
	var documented []model.Reason
	for _, m := range regexp.MustCompile("(?m)^\\* `([A-Za-z]+)`, (?:True|False|Unknown): ").FindAllStringSubmatch(string(page), -1) {
		documented = append(documented, model.Reason(m[1]))
	}
	require.Equal(t, Reasons(), documented)
}
