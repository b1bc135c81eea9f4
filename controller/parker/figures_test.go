package parker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/parking"
)

func TestFiguresAreLookedAtOnceASecond(t *testing.T) {
	garage := parking.New(parking.Options{})
	opened, err := garage.Open(t.Context(), parking.LotOptions{Name: "db", Address: "127.0.0.1"})
	require.NoError(t, err)
	t.Cleanup(func() { garage.Close(t.Context()) })
	p := &Parker{lots: map[string]*lot{"db": {Lot: opened}}}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p.count(now)
	require.Contains(t, p.figures, "db")
	delete(p.lots, "db")
	p.count(now.Add(figuresEvery - time.Millisecond))
	require.Contains(t, p.figures, "db", "a change within the second is not told")
	p.count(now.Add(figuresEvery))
	require.Empty(t, p.figures)
}

func TestALotIsToldWithItsFigures(t *testing.T) {
	p := &Parker{figures: map[string]parking.Figures{"db": {
		Waiting: 3, Peak: 9, Longest: 1500*time.Millisecond + 123, UnderWay: 2, Upgrades: 1, Forwarded: 4, Released: 5, Gone: 6, Failed: 7,
		Refused: map[parking.Reason]uint64{parking.ReasonRequests: 1, parking.ReasonTotalBytes: 2, parking.ReasonTime: 4, parking.ReasonExpired: 8},
	}}}
	lots := map[string]park.Lot{"db": {Mark: "m", State: park.LotIn, Waiting: 3}, "web": {Mark: "m"}}
	require.Equal(t, map[string]park.Lot{
		"db": {Mark: "m", State: park.LotIn, Waiting: 3, Figures: park.Figures{
			Peak: 9, Longest: 1500 * time.Millisecond, UnderWay: 2, Upgrades: 1, Forwarded: 4, Released: 5, Refused: 3, Expired: 12, Gone: 6, Failed: 7,
		}},
		"web": {Mark: "m"},
	}, p.figured(lots))
	require.Zero(t, lots["db"].Figures, "what Apply says is left alone")
}
