package fencer

import (
	"slices"
	"sync"
	"time"

	"github.com/draingate/draingate/controller/loop"
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

// board has what the State tells.
type board struct {
	loop.Board
	mu  sync.Mutex
	set []string
	// until is how long the presence lasts unless it is confirmed again.
	until time.Time
}

func (b *board) state() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return State{Node: b.Node(), Present: time.Now().Before(b.until), Problem: b.Problems(), Set: slices.Clone(b.set)}
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
