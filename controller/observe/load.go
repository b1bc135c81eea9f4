package observe

import (
	"context"
	"sync"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// retryLoad is the pause after a measurement that failed.
const retryLoad = time.Second

// loadMeter keeps the last measured load. Passes ask for a measurement and take
// what there is, so that a big catalog does not hold them up.
type loadMeter struct {
	wanted chan struct{}

	mu    sync.Mutex
	fact  model.Fact[model.Load]
	ended time.Time
}

// latest returns the last measurement that succeeded, with its own time, or why
// there is none yet, and asks for a new one if it is due.
func (m *loadMeter) latest(every time.Duration) model.Fact[model.Load] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.fact.Known() {
		every = min(every, retryLoad)
	}
	if m.ended.IsZero() || time.Since(m.ended) >= every {
		select {
		case m.wanted <- struct{}{}:
		default:
		}
	}
	return m.fact
}

// measure keeps an older value if it fails: its time tells how old it is.
func (m *loadMeter) measure(ctx context.Context, consul Consul, timeout time.Duration) {
	fact := read(ctx, timeout, consul.MeasureLoad)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = time.Now()
	if fact.Known() || !m.fact.Known() {
		m.fact = fact
	}
	// Passes that asked while this one ran are served by it.
	select {
	case <-m.wanted:
	default:
	}
}
