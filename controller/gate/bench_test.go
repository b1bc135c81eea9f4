package gate

import (
	"fmt"
	"testing"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// BenchmarkEvaluate times one decision for a small deployment and for one of
// a hundred allocations behind ten proxies, every check of the chain passed.
func BenchmarkEvaluate(b *testing.B) {
	for _, w := range []world{
		{groups: 1, olds: 1, canaries: 1, proxies: 2, refresh: 15 * time.Second, delay: 20 * time.Second},
		{groups: 2, olds: 25, canaries: 25, proxies: 10, refresh: 15 * time.Second, delay: 20 * time.Second},
	} {
		b.Run(fmt.Sprintf("groups=%d/allocs=%d/proxies=%d", w.groups, w.groups*(w.olds+w.canaries), w.proxies), func(b *testing.B) {
			d, m := run(w, 6*time.Second)
			if d.Verb != model.Promote {
				b.Fatal(d.Message)
			}
			now := start.Add(6500 * time.Millisecond)
			in := Input{Snapshot: w.snapshot(now), Memory: m, Policy: policy, Now: now}
			b.ReportAllocs()
			for b.Loop() {
				if d, _ := Evaluate(in); d.Verb != model.Promote {
					b.Fatal(d.Message)
				}
			}
		})
	}
}
