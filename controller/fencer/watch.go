package fencer

import (
	"context"
	"slices"

	"github.com/draingate/draingate/controller/loop"
	"github.com/draingate/draingate/controller/model"
)

// watch has a pass made whenever a record changes, until ctx ends. The pass reads
// for itself: an answer here may have waited for long.
func (f *Fencer) watch(ctx context.Context) {
	pause := loop.NewPause(f.options.TTL)
	var index uint64
	var seen []model.Stored
	missed := true
	for ctx.Err() == nil {
		stored, now, err := f.await(ctx, index)
		if err != nil {
			missed = true
			loop.Sleep(ctx, pause.NextBackOff())
			continue
		}
		pause.Reset()
		// Consul answers also where only keys beside these changed.
		if missed || !slices.EqualFunc(seen, stored, unchanged) {
			loop.Signal(f.due)
		}
		seen, missed = stored, false
		// It may go backwards, as after a restored snapshot: what was answered is as
		// of that index. One that is zero would make every question return at once.
		index = max(now, 1)
		loop.Sleep(ctx, passGap)
	}
}

func (f *Fencer) await(ctx context.Context, index uint64) ([]model.Stored, uint64, error) {
	// Consul adds up to a sixteenth to the time (agent/blockingquery, v1.22.3).
	ctx, cancel := context.WithTimeout(ctx, watchTime+watchTime/16+loop.CallTime)
	defer cancel()
	return f.consul.List(ctx, f.options.Keys.Records(), index, watchTime)
}

func unchanged(a, b model.Stored) bool {
	return a.Key == b.Key && a.Index == b.Index && a.Session == b.Session
}
