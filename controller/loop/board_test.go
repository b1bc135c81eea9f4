package loop_test

import (
	"context"
	"errors"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/loop"
)

var errOne, errOther = errors.New("one\n\tof two lines"), errors.New("other")

func TestABoardTellsOfEachChangeOnce(t *testing.T) {
	var logged []string
	ctx := logr.NewContext(t.Context(), funcr.New(func(_, args string) { logged = append(logged, args) }, funcr.Options{}))
	b := loop.Board{Of: "fencing"}
	require.False(t, b.Report(ctx, "records", nil), "it worked before")
	require.True(t, b.Report(ctx, "records", nil, errOne, errOther))
	require.False(t, b.Report(ctx, "records", errOne, errOther), "the same again")
	require.True(t, b.Report(ctx, "acks", errOther))
	require.Equal(t, "one of two lines (and 1 more)", b.Problem("records"))
	require.Equal(t, "other; one of two lines (and 1 more)", b.Problems(), "in the order of the subjects")
	require.True(t, b.Report(ctx, "records"))
	require.Empty(t, b.Problem("records"))
	require.Equal(t, "other", b.Problems())
	require.Empty(t, cmp.Diff([]string{
		`"level"=0 "msg"="fencing has a problem" "about"="records" "why"="one of two lines (and 1 more)"`,
		`"level"=0 "msg"="fencing has a problem" "about"="acks" "why"="other"`,
		`"level"=0 "msg"="fencing works again" "about"="records"`,
	}, logged))
}

func TestTheEndOfTheProcessIsNoProblem(t *testing.T) {
	var b loop.Board
	ended, cancel := context.WithCancel(t.Context())
	b.Report(t.Context(), "acks", errOther)
	cancel()
	require.False(t, b.Report(ended, "records", errOne))
	require.Equal(t, "other", b.Problems())
	require.True(t, b.Report(ended, "acks", nil), "what works again is told until the end")
	require.Empty(t, b.Problems())
}
