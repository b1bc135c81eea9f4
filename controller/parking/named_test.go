package parking

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheFiguresOfAServiceGoOnAfterItsLotIsClosed(t *testing.T) {
	g := New(Options{})
	first, err := g.Open(t.Context(), LotOptions{Name: "web", Address: "127.0.0.1"})
	require.NoError(t, err)
	count(first, 3, 7)
	first.stop()
	second, err := g.Open(t.Context(), LotOptions{Name: "web", Address: "127.0.0.1"})
	require.NoError(t, err)
	t.Cleanup(func() { g.Close(t.Context()) })
	count(second, 1, 5)
	_, err = g.Open(t.Context(), LotOptions{Name: "api", Address: "127.0.0.1"})
	require.NoError(t, err)

	named := g.Named()
	require.Len(t, named, 2)
	require.EqualValues(t, 4, named["web"].Forwarded)
	require.Equal(t, 7, named["web"].Peak)
	require.EqualValues(t, 4, named["web"].Refused[ReasonTime])
	require.Zero(t, named["api"].Forwarded)
	require.EqualValues(t, 4, g.Figures().Forwarded)
	second.stop()
	require.EqualValues(t, 4, g.Named()["web"].Forwarded)
}

func count(l *Lot, n uint64, peak int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures.Forwarded, l.figures.Refused[ReasonTime], l.figures.Peak = n, n, peak
}
