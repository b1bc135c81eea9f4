package exit_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli/exit"
)

func TestCode(t *testing.T) {
	plain := errors.New("boom")
	tests := map[string]struct {
		err  error
		want int
	}{
		"no error is 0":                     {nil, 0},
		"an error without a code is 2":      {plain, 2},
		"a code is kept":                    {exit.With(exit.Held, plain), 3},
		"a code is found below other words": {fmt.Errorf("run: %w", exit.With(exit.CannotSee, plain)), 5},
		"a code needs no words":             {exit.With(exit.TimedOut, nil), 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, exit.Code(tt.err)) })
	}
	require.Empty(t, exit.With(exit.Held, nil).Error())
	require.ErrorIs(t, exit.With(exit.Held, plain), plain)
}
