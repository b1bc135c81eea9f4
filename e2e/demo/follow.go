package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// event is one of draingate's stream: what it decides after the change.
type event struct {
	decision
	Type string    `json:"type"`
	At   time.Time `json:"at"`
}

// follow keeps every change of a decision until ctx ends, also one that watch is
// too slow to see. A stream that breaks is read again from its beginning.
func (g *gate) follow(ctx context.Context) {
	for ctx.Err() == nil {
		_ = g.stream(ctx)
		_ = wait(ctx, 500*time.Millisecond)
	}
}

// stream reads the changes from the first that draingate has kept.
func (g *gate) stream(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.addr+"/v1/events?after=0", nil)
	if err != nil {
		return fmt.Errorf("follow draingate: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("follow draingate: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("follow draingate: %s", resp.Status)
	}
	g.mu.Lock()
	g.changes = nil
	g.mu.Unlock()
	return readChanges(resp.Body, func(d decision) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.changes = append(g.changes, d)
	})
}

// readChanges gives each change of a decision in a stream of server-sent events
// to keep, with the time of the change, until the stream ends.
func readChanges(stream io.Reader, keep func(decision)) error {
	lines := bufio.NewScanner(stream)
	for lines.Scan() {
		data, found := strings.CutPrefix(lines.Text(), "data:")
		if !found {
			continue
		}
		var e event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return fmt.Errorf("read draingate's events: %w", err)
		}
		if e.Type == "decision" {
			e.Since = e.At
			keep(e.decision)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read draingate's events: %w", err)
	}
	return nil
}

// told are the decisions of all versions of a job but its first, in order.
func (g *gate) told(job string) []decision {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(g.changes), func(d decision) bool { return d.Job != job || d.JobVersion == 0 })
}
