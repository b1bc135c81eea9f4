//go:build e2e

package e2e

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

// TestFaults breaks something at a moment of a deploy under load, on three servers
// of Nomad and of Consul with ACLs, through two proxies on two nodes, with a
// draingate on each. Whatever it is, nothing is
// promoted on facts that are missing, nothing is done twice, the deployment
// goes on with a true reason, and before the promotion no request is lost.
// DRAINGATE_FAULTS=all runs every fault at every moment, otherwise each fault
// is run at one. The result is printed as a table, also into the file that
// DRAINGATE_FAULTS_TABLE names.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := ownStack(t, harness.Options{HA: true, ACL: true})
	tokens := tokensOf(t, s)
	table := newTable()
	t.Cleanup(func() { table.print(t) })
	for at, m := range moments() {
		for i, f := range faults(at) {
			if !whole() && (f.soak || at != i%len(moments())) {
				continue
			}
			t.Run(f.name+"/"+m.name, func(t *testing.T) {
				if !f.exclusive {
					// These wait until those that take something from all have ended.
					t.Parallel()
				}
				table.set(f.name, m.name, newCell(t, s, tokens, f, m).run())
			})
		}
	}
}

// whole is true where every case is run, and not only one of each kind.
func whole() bool { return os.Getenv("DRAINGATE_FAULTS") == "all" }

// table is what became of each cell.
type table struct {
	mu    sync.Mutex
	cells map[string]string
}

func newTable() *table { return &table{cells: map[string]string{}} }

func (m *table) set(fault, moment, what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cells[fault+"/"+moment] = what
}

// print logs the table in Markdown. A cell that did not come to its end has
// failed, and one that was not run is empty.
func (m *table) print(t *testing.T) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	b.WriteString("| fault |")
	var rule strings.Builder
	rule.WriteString("|---|")
	for _, at := range moments() {
		b.WriteString(" " + at.name + " |")
		rule.WriteString("---|")
	}
	b.WriteString("\n" + rule.String() + "\n")
	for _, f := range faults(0) {
		b.WriteString("| " + f.name + " |")
		for _, at := range moments() {
			b.WriteString(" " + m.cells[f.name+"/"+at.name] + " |")
		}
		b.WriteString("\n")
	}
	t.Log("\n" + b.String())
	if file := os.Getenv("DRAINGATE_FAULTS_TABLE"); file != "" {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
	}
}
