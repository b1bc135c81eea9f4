package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/harness"
)

var errTest = errors.New("test")

func aScene() scene {
	return scene{
		at: 62 * time.Second, doing: "act 1: no delay",
		sides: []sideView{
			{
				phase: "version 1 has ended", seconds: append(seconds(2, 200, 0), harness.LoadSecond{Good: 50, Lost: 150}),
				requests: 600, lost: 150, sending: true, versions: nil,
			},
			{
				gated: true, phase: "draingate holds", seconds: seconds(3, 200, 0), requests: 600, sending: true, versions: []string{"1", "2"},
				said: decision{Decision: "Hold", Reason: "DrainUnsafe", Message: "S = 0s is not enough."},
				told: []decision{{Decision: "Hold", Reason: "WindowRunning", Message: "0s of 5s"}, {Decision: "Hold", Reason: "DrainUnsafe", Message: "S = 0s is not enough."}},
			},
		},
	}
}

func TestDraw(t *testing.T) {
	want := []string{
		"1:02  act 1: no delay",
		`Nomad decides  auto_promote = true, draingate_mode = "off"`,
		"  now        version 1 has ended",
		"  answers    ··▆  50 good, 150 lost /s",
		"  total      600 requests, 150 lost  no version answers",
		`draingate decides  auto_promote = false, draingate_mode = "enforce"`,
		"  now        draingate holds",
		"  answers    ···  200 good, 0 lost /s",
		"  total      600 requests, 0 lost  answers come from version 1 and 2",
		"  so far     Hold WindowRunning → Hold DrainUnsafe",
		"  draingate  Hold DrainUnsafe",
		"             S = 0s is not enough.",
		"one mark a second: · all answered well, ▁ to █ the share that was lost",
	}
	if diff := cmp.Diff(want, draw(aScene(), 100, palette{})); diff != "" {
		t.Errorf("picture (-want +got):\n%s", diff)
	}
}

func TestDrawIsNoWiderThanTheTerminal(t *testing.T) {
	s := aScene()
	s.sides[1].said.Message = strings.Repeat("many words of figures ", 40)
	s.sides[0].seconds = seconds(500, 100, 100)
	for _, p := range []palette{{}, colours()} {
		for width := 20; width < 200; width += 7 {
			for _, l := range draw(s, width, p) {
				if got := lipgloss.Width(l); got > width {
					t.Errorf("at width %d a line is %d wide: %q", width, got, l)
				}
				if strings.Contains(l, "\n") {
					t.Errorf("at width %d a line is two: %q", width, l)
				}
			}
		}
	}
}

func TestMark(t *testing.T) {
	for name, tt := range map[string]struct {
		good, lost int
		want       string
	}{
		"nothing was sent":      {0, 0, " "},
		"nothing was lost":      {200, 0, "·"},
		"one of many":           {199, 1, "▁"},
		"half":                  {100, 100, "▄"},
		"all but one":           {1, 199, "█"},
		"everything":            {0, 200, "█"},
		"just more than a half": {99, 101, "▅"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(mark(harness.LoadSecond{Good: tt.good, Lost: tt.lost})); got != tt.want {
				t.Errorf("mark of %d good and %d lost: got %q, want %q", tt.good, tt.lost, got, tt.want)
			}
		})
	}
}

// aTerminal is one of the given size, and what was written to it.
func aTerminal(width, height int) (*terminal, *bytes.Buffer) {
	var b bytes.Buffer
	return &terminal{out: &b, size: func() (int, int) { return width, height }}, &b
}

func TestTerminalDrawsOverThePicture(t *testing.T) {
	term, out := aTerminal(100, 40)
	term.show(aScene())
	require.Equal(t, 13, strings.Count(out.String(), eraseLine+"\n"))
	require.NotContains(t, out.String(), "\x1b[13A")
	out.Reset()
	term.say("done")
	require.True(t, strings.HasPrefix(out.String(), "\x1b[13A\rdone"+eraseLine+"\n1:02"), "%q", out)
	out.Reset()
	term.close()
	require.Equal(t, "\x1b[13A\r"+eraseBelow+showCursor, out.String())
}

func TestTerminalKeepsThePictureOnTheScreen(t *testing.T) {
	term, out := aTerminal(100, 8)
	term.show(aScene())
	require.Equal(t, 6, strings.Count(out.String(), "\n"))
}

func TestPlainLines(t *testing.T) {
	var out bytes.Buffer
	p := &plain{out: &out}
	s := aScene()
	lines := func() []string {
		defer out.Reset()
		return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	}
	p.show(s)
	require.Equal(t, []string{"1:02  Nomad      50 good, 150 lost /s; 150 of 600 lost; version 1 has ended; no version answers"}, lines())
	s.at += 500 * time.Millisecond
	p.show(s)
	require.Equal(t, []string{""}, lines(), "at most one line a second")
	s.at += 500 * time.Millisecond
	p.show(s)
	require.Equal(t, []string{"1:03  draingate  200 good, 0 lost /s; 0 of 600 lost; draingate holds; " +
		"answers come from version 1 and 2; Hold WindowRunning: 0s of 5s; Hold DrainUnsafe: S = 0s is not enough."}, lines())
	s.at += 4 * time.Second
	p.show(s)
	require.Equal(t, []string{""}, lines(), "nothing has changed")
	s.sides[1].told = append(s.sides[1].told, decision{Decision: "Promote", Reason: "Safe"})
	s.at += time.Second
	p.show(s)
	require.Equal(t, []string{"1:08  draingate  200 good, 0 lost /s; 0 of 600 lost; draingate holds; " +
		"answers come from version 1 and 2; Promote Safe"}, lines(), "only what is new")
	s.at += 5 * time.Second
	p.show(s)
	require.Equal(t, []string{"1:13  act 1: no delay; Nomad: 50 good, 150 lost /s, 150 of 600 lost; " +
		"draingate: 200 good, 0 lost /s, 0 of 600 lost, Hold DrainUnsafe"}, lines(), "every five seconds")
}

func TestPace(t *testing.T) {
	var p pace
	at := time.Unix(100, 0)
	p.look(at, map[string]int{"1": 5})
	require.Equal(t, []string{"1"}, p.versions)
	p.look(at.Add(999*time.Millisecond), map[string]int{"1": 5, "2": 7})
	require.Equal(t, []string{"1"}, p.versions, "not before a second is over")
	p.look(at.Add(time.Second), map[string]int{"1": 5, "2": 7})
	require.Equal(t, []string{"2"}, p.versions)
	p.look(at.Add(2*time.Second), map[string]int{"1": 5, "2": 7})
	require.Empty(t, p.versions)
}
