package loop

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/go-logr/logr"
)

// Board is where the goroutines of an instance leave what goes wrong, each thing
// by its subject, and the name of the node that they work on. It is safe for
// concurrent use, and the zero value works but for Of.
type Board struct {
	// Of is what they do together, as the log calls it.
	Of string

	mu       sync.Mutex
	node     string
	problems map[string]string
}

// Report keeps a problem until its end is reported with nil, and logs a change,
// which it returns. What failed because the process is to end is none. Of several
// errors the first stands for all, on one line.
func (b *Board) Report(ctx context.Context, about string, errs ...error) (changed bool) {
	after := ""
	if err := Summary(errs); err != nil {
		if ctx.Err() != nil {
			return false
		}
		after = strings.Join(strings.Fields(err.Error()), " ")
	}
	before := b.replace(about, after)
	switch log := logr.FromContextOrDiscard(ctx).WithValues("about", about); after {
	case before:
	case "":
		log.Info(b.Of + " works again")
	default:
		log.Info(b.Of+" has a problem", "why", after)
	}
	return after != before
}

func (b *Board) replace(about, after string) (before string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before = b.problems[about]
	switch {
	case after == "":
		delete(b.problems, about)
	case b.problems == nil:
		b.problems = map[string]string{about: after}
	default:
		b.problems[about] = after
	}
	return before
}

// Summary is one error for many, nil for none: the first, and how many more there
// are.
func Summary(errs []error) error {
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

// Problem is what goes wrong with one thing; empty where nothing does.
func (b *Board) Problem(about string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problems[about]
}

// Problems is all that goes wrong, in the order of its subjects; empty where
// nothing does.
func (b *Board) Problems() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, about := range slices.Sorted(maps.Keys(b.problems)) {
		out = append(out, b.problems[about])
	}
	return strings.Join(out, "; ")
}

// Named takes over the name of the node.
func (b *Board) Named(node string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.node = node
}

// Node is its name; empty until it is known.
func (b *Board) Node() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.node
}
