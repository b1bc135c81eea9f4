package park

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAPauseIsInForceOnceNoProxyRoutesToAnInstance(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	world := func(change func(w *World)) *World {
		w := &World{
			Now: now, Service: "db", Pools: Pools{Addresses: map[string]bool{"10.0.0.9:21000": true}},
			Instances:    []Instance{{ID: "s1", Node: "n2", Address: "10.0.0.6:80", Ours: true}},
			Placeholders: []Instance{{Node: "n1", Address: "10.0.0.9:21000", Passing: true, Takers: TakersAll}},
			Record:       &Record{Service: "db", Step: StepParking, ByHand: true, Nodes: []string{"n1"}, Until: now.Add(time.Minute)},
		}
		change(w)
		return w
	}
	tests := map[string]struct {
		change func(w *World)
		want   string
	}{
		"nothing but placeholders is routed":              {func(*World) {}, "Paused"},
		"there is no instance at all":                     {func(w *World) { w.Instances = nil }, "Paused"},
		"an instance is not in the maintenance":           {func(w *World) { w.Instances[0].Ours = false }, "Pausing"},
		"a proxy routes to an instance":                   {func(w *World) { w.Pools.Addresses["10.0.0.6:80"] = true }, "Pausing"},
		"one that was told to stop is out of every pool":  {func(w *World) { w.Instances[0].Ours, w.Instances[0].Going = false, true }, "Paused"},
		"one that was told to stop is routed":             {func(w *World) { w.Instances[0].Going = true; w.Pools.Addresses["10.0.0.6:80"] = true }, "Pausing"},
		"a proxy could not be asked":                      {func(w *World) { w.Pools.Unknown = "p: timeout" }, "Pausing"},
		"a placeholder is not everywhere":                 {func(w *World) { w.Placeholders[0].Takers = TakersSome }, "Pausing"},
		"nobody paused it, and an instance still answers": {func(w *World) { w.Record.ByHand = false }, "Parked"},
		"it leaves": {func(w *World) { w.Record.Step, w.Record.Reason = StepLeaving, ReasonExpired }, "ParkExpired"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := world(tt.change)
			require.EqualValues(t, tt.want, w.stands(*w.Record).Reason)
		})
	}
}
