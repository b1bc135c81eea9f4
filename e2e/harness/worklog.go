package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Worklog is a folder in which instances note the IDs of the requests that they
// work on, those of one instance in one file. What a process has noted stays
// when it ends, in whatever way.
type Worklog string

// NewWorklog makes an empty one, which goes with the stack.
func (s *Stack) NewWorklog() (Worklog, error) {
	dir := filepath.Join(s.data(), s.Name("worked"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make a folder for the requests that are worked on: %w", err)
	}
	return Worklog(dir), nil
}

// Worked says how often each ID was worked on, by all instances together.
func (w Worklog) Worked() (map[string]int, error) {
	files, err := os.ReadDir(string(w))
	if err != nil {
		return nil, fmt.Errorf("list what instances worked on: %w", err)
	}
	out := map[string]int{}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(string(w), f.Name()))
		if err != nil {
			return nil, fmt.Errorf("read what an instance worked on: %w", err)
		}
		for id := range strings.Lines(string(text)) {
			out[strings.TrimSpace(id)]++
		}
	}
	return out, nil
}

// Amiss says what is wrong with the work on the requests of a load that has
// stopped: how many were worked on never, and how many more than once, with the
// first ID of each kind. It is empty where each was worked on once.
func (l *Load) Amiss(worked map[string]int) string {
	var never, twice []string
	for _, id := range l.IDs() {
		switch n := worked[id]; {
		case n == 0:
			never = append(never, id)
		case n > 1:
			twice = append(twice, id)
		}
	}
	var out []string
	if len(never) > 0 {
		out = append(out, fmt.Sprintf("%d never worked on, such as %s", len(never), never[0]))
	}
	if len(twice) > 0 {
		out = append(out, fmt.Sprintf("%d worked on more than once, such as %s", len(twice), twice[0]))
	}
	return strings.Join(out, "; ")
}
