package rule_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/gate"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

// The rules and the gate must mean the same key.
func TestTheModeIsTheGatesOwn(t *testing.T) {
	job := model.Job{Type: "batch", Meta: map[string]string{gate.MetaMode: string(model.ModeEnforce)}, Groups: []model.Group{{Name: "web"}}}
	var got []string
	for _, f := range rule.Run(rule.All(), rule.Input{Job: &job}) {
		if f.Rule == "DG306" {
			got = append(got, f.Message)
		}
	}
	require.Len(t, got, 1)
	require.True(t, strings.HasPrefix(got[0], gate.MetaMode+` = "enforce" has no effect`), got[0])
}
