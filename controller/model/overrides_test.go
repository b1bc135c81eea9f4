package model

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// accepted is what Nomad takes as the path of a variable
// (nomad/structs/variables.go, v1.11.3).
var accepted = regexp.MustCompile(`^[a-zA-Z0-9-_~/]{1,128}$`)

func TestOverridePath(t *testing.T) {
	for id, want := range map[string]string{
		"web":        "draingate/jobs/web",
		"web.api/v2": "draingate/jobs/web~2Eapi~2Fv2",
		EveryJob:     "draingate/jobs/~2A",
		"a~b":        "draingate/jobs/a~7Eb",
	} {
		require.Equal(t, want, OverridePath(id))
	}
}

func TestPropOverridePathsAreAcceptedAndDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		require.Regexp(t, accepted, OverridePath(a))
		require.Equal(t, a == b, OverridePath(a) == OverridePath(b))
		long := strings.Repeat("x", 130)
		require.Regexp(t, accepted, OverridePath(long+a))
		require.Equal(t, a == b, OverridePath(long+a) == OverridePath(long+b))
	})
}

func TestAJobsOwnVariableWinsAndAnyFreezeStands(t *testing.T) {
	var o Overrides
	first, second := time.Unix(1, 0), time.Unix(2, 0)
	o.Add("draingate/jobs/web", map[string]string{"mode": "enforce", "mood": "bad"}, first)
	o.Add("draingate/jobs/~2A", map[string]string{"mode": "observe", "on_deadline": "fail", "freeze": "holidays"}, second)
	require.Equal(t, Overrides{
		Frozen:  map[string]string{"draingate/jobs/~2A": "holidays"},
		Values:  map[string]string{"mode": "enforce", "on_deadline": "fail"},
		Sources: map[string]string{"mode": "draingate/jobs/web", "on_deadline": "draingate/jobs/~2A"},
		Written: map[string]time.Time{"draingate/jobs/web": first, "draingate/jobs/~2A": second},
		Unknown: []string{"draingate/jobs/web: mood"},
	}, o)
}
