package fencer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// State is what an instance says of the fences on its node.
type State struct {
	// Node is the name of the Consul agent; empty until it answered.
	Node string
	// Present is true where others see that the instance is present on the node.
	Present bool
	// Problem says what goes wrong now; empty where nothing does.
	Problem string
	// Set are the IDs of the services that are in a maintenance of draingate's, as
	// last seen, sorted.
	Set []string
}

// What can go wrong, each with a problem of its own.
const (
	aboutPresence    = "presence"
	aboutRecords     = "records"
	aboutServices    = "services"
	aboutMaintenance = "maintenance"
	aboutNomad       = "deployments"
	aboutPass        = "pass"
	aboutAcks        = "acknowledgements"
)

// board is where the goroutines of an instance leave what its State tells.
type board struct {
	mu       sync.Mutex
	node     string
	set      []string
	problems map[string]string
	// until is how long the presence lasts unless it is confirmed again.
	until time.Time
}

func (b *board) state() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	var problems []string
	for _, about := range slices.Sorted(maps.Keys(b.problems)) {
		problems = append(problems, b.problems[about])
	}
	return State{Node: b.node, Present: time.Now().Before(b.until), Problem: strings.Join(problems, "; "), Set: slices.Clone(b.set)}
}

// report keeps a problem until its end is reported with nil, and logs a change,
// which it returns. What failed because the process is to end is none. Of several
// errors the first stands for all.
func (b *board) report(ctx context.Context, about string, errs ...error) (changed bool) {
	err := summary(errs)
	if err != nil && ctx.Err() != nil {
		return false
	}
	b.mu.Lock()
	before := b.problems[about]
	after := ""
	delete(b.problems, about)
	if err != nil {
		after = err.Error()
		b.problems[about] = after
	}
	b.mu.Unlock()
	switch log := logr.FromContextOrDiscard(ctx).WithValues("about", about); {
	case after == before:
	case after == "":
		log.Info("fencing works again")
	default:
		log.Info("fencing has a problem", "why", after)
	}
	return after != before
}

// summary is one line for many errors, nil for none.
func summary(errs []error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	default:
		return fmt.Errorf("%w (and %d more)", errs[0], len(errs)-1)
	}
}

// problem is what goes wrong with one thing; empty where nothing does.
func (b *board) problem(about string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problems[about]
}

// named takes over the name of the agent.
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

// present says until when others are sure to see the instance.
func (b *board) present(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until = until
}

func (b *board) fenced(services []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set = services
}
