package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Writer is the file whose lock an instance must hold to write, for its whole
// life, and beside which all instances keep one journal of who wrote when.
// What is in it stays when a process ends, in whatever way.
type Writer string

// NewWriter makes one that nobody holds yet, which goes with the stack. All
// nodes of the stack share it.
func (s *Stack) NewWriter() (Writer, error) {
	dir := filepath.Join(s.data(), s.Name("writer"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make a folder for the lock of a writer: %w", err)
	}
	return Writer(filepath.Join(dir, "lock")), nil
}

// WriterEvent is a line of the journal: see package main in e2e/sample.
type WriterEvent struct {
	// What is "begin", "work", "end", "refused" or "robbed".
	What string
	// AllocID is the instance that wrote the line.
	AllocID string
	// More are the fields after these two.
	More []string
}

// Journal returns the events in the order in which they were written; none
// where no instance has started yet.
func (w Writer) Journal() ([]WriterEvent, error) {
	text, err := os.ReadFile(string(w) + ".journal")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal of a writer: %w", err)
	}
	var out []WriterEvent
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			return nil, fmt.Errorf("read the journal of a writer: line %d is %q", len(out)+1, line)
		}
		out = append(out, WriterEvent{What: fields[0], AllocID: fields[1], More: fields[2:]})
	}
	return out, nil
}

// Wrote says how often each request was worked on to its end, its body read, by
// all writers together.
func Wrote(journal []WriterEvent) map[string]int {
	out := map[string]int{}
	for _, e := range journal {
		// A request without an ID leaves one field less.
		if e.What == "work" && len(e.More) == 3 {
			out[e.More[0]]++
		}
	}
	return out
}

// Writers are the instances that had the lock, in that order.
func Writers(journal []WriterEvent) []string {
	var out []string
	for _, e := range journal {
		if e.What == "begin" {
			out = append(out, e.AllocID)
		}
	}
	return out
}

// Overlap says where two writers met: one was refused the lock, found that
// somebody else had it too, or wrote after another one had begun or after its
// own end. It is empty where there was never more than one.
func Overlap(journal []WriterEvent) string {
	var out []string
	writer := ""
	for i, e := range journal {
		problem := ""
		switch {
		case e.What == "refused" || e.What == "robbed":
			problem = e.What + " " + strings.Join(e.More, " ")
		case e.What == "begin":
			writer = e.AllocID
		case e.AllocID != writer:
			problem = fmt.Sprintf("%s while the writer was %q", e.What, writer)
		case e.What == "end":
			writer = ""
		}
		if problem != "" {
			out = append(out, fmt.Sprintf("line %d: %s %s", i+1, e.AllocID, problem))
		}
	}
	return strings.Join(out, "; ")
}
