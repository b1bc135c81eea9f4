package parker

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/go-logr/logr"
)

// State is what an instance says of the parks on its node.
type State struct {
	// Node is the name of the Consul agent; empty until it answered.
	Node string
	// Problem says what goes wrong now; empty where nothing does.
	Problem string
}

// What can go wrong, each with a problem of its own.
const (
	aboutPresence = "presence"
	aboutRecords  = "records"
	aboutServices = "services"
	aboutLots     = "placeholders"
	aboutPass     = "pass"
)

// State is safe for concurrent use with Run.
func (p *Parker) State() State { return p.board.state() }

// board is where the goroutines of an instance leave what its State tells.
type board struct {
	mu       sync.Mutex
	node     string
	problems map[string]string
}

func (b *board) state() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	var problems []string
	for _, about := range slices.Sorted(maps.Keys(b.problems)) {
		problems = append(problems, b.problems[about])
	}
	return State{Node: b.node, Problem: strings.Join(problems, "; ")}
}

// report keeps a problem until its end is reported with nil, and logs a change,
// which it returns. What failed because the process is to end is none.
func (b *board) report(ctx context.Context, about string, err error) (changed bool) {
	if err != nil && ctx.Err() != nil {
		return false
	}
	b.mu.Lock()
	before, after := b.problems[about], ""
	delete(b.problems, about)
	if err != nil {
		after = strings.Join(strings.Fields(err.Error()), " ")
		b.problems[about] = after
	}
	b.mu.Unlock()
	switch log := logr.FromContextOrDiscard(ctx).WithValues("about", about); {
	case after == before:
	case after == "":
		log.Info("parking works again")
	default:
		log.Info("parking has a problem", "why", after)
	}
	return after != before
}

func (b *board) problem(about string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problems[about]
}

func (b *board) named(node string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.node = node
}

func (b *board) name() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.node
}
