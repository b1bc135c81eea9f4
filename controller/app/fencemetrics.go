package app

import (
	"context"
	"time"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/metrics"
	"github.com/draingate/draingate/controller/status"
)

// scrapeTimeout bounds a reading for a scrape, which waits for it.
const scrapeTimeout = 2 * time.Second

// fenceFigures is what the metrics ask for the records of fences; nil where this
// instance never fences.
func (a *App) fenceFigures(o options.Run) func() (metrics.Fences, error) {
	if !fences(o) {
		return nil
	}
	return func() (metrics.Fences, error) {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		defer cancel()
		list, err := readFences(ctx, a.consul, fence.KeysUnder(o.Leader.Key))
		return figuresOf(list, time.Now()), err
	}
}

func figuresOf(list status.FenceList, now time.Time) metrics.Fences {
	out := metrics.Fences{Steps: map[string]int{}, Fencers: len(list.Fencers)}
	for _, f := range list.Fences {
		out.Steps[f.Step]++
		if f.Step != string(fence.StepEnded) {
			out.Oldest = max(out.Oldest, now.Sub(f.Written))
		}
	}
	return out
}
