package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"charm.land/lipgloss/v2"
	"golang.org/x/term"
)

// screen is where the show is seen.
type screen interface {
	// head prints a heading and say prints lines. Both stay.
	head(line string)
	say(lines ...string)
	// show shows what goes on now, in place of what was shown before.
	show(s scene)
	// width is the room for a line.
	width() int
	// close leaves what was said, and nothing else.
	close()
}

// newScreen returns a terminal, or plain lines where there is none.
func newScreen(out *os.File) screen {
	if !term.IsTerminal(int(out.Fd())) || os.Getenv("TERM") == "dumb" {
		return &plain{out: out}
	}
	t := &terminal{out: lipgloss.Writer, palette: colours(), size: func() (int, int) {
		w, h, err := term.GetSize(int(out.Fd()))
		if err != nil || w <= 0 || h <= 0 {
			return 80, 24
		}
		return w, h
	}}
	if os.Getenv("NO_COLOR") != "" {
		t.palette = palette{}
	}
	return t
}

// The control sequences of a terminal (ECMA-48).
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	eraseLine  = "\x1b[K"
	eraseBelow = "\x1b[J"
)

// terminal redraws the lower part of what it printed.
type terminal struct {
	out     io.Writer
	palette palette
	size    func() (width, height int)

	mu sync.Mutex
	// picture is what is drawn on the screen.
	picture []string
}

func (t *terminal) width() int {
	w, _ := t.size()
	return max(w-1, 20)
}

func (t *terminal) head(line string) {
	t.print([]string{"", t.palette.head.Render(line)})
}

func (t *terminal) say(lines ...string) {
	var all []string
	for _, l := range lines {
		all = append(all, wrapped(l, t.width())...)
	}
	t.print(all)
}

// print puts lines above the picture.
func (t *terminal) print(lines []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(lines, t.picture)
}

func (t *terminal) show(s scene) {
	_, height := t.size()
	picture := draw(s, t.width(), t.palette)
	// What has scrolled off the screen cannot be drawn over.
	picture = picture[:min(len(picture), max(height-2, 1))]
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(nil, picture)
}

// write replaces the picture, in one piece so that it does not flicker.
func (t *terminal) write(above, picture []string) {
	var b bytes.Buffer
	if len(t.picture) > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", t.lines())
	}
	if len(t.picture) == 0 && len(picture) > 0 {
		b.WriteString(hideCursor)
	}
	for _, l := range above {
		b.WriteString(l + eraseLine + "\n")
	}
	for _, l := range picture {
		b.WriteString(l + eraseLine + "\n")
	}
	b.WriteString(eraseBelow)
	if len(picture) == 0 {
		b.WriteString(showCursor)
	}
	t.picture = picture
	_, _ = t.out.Write(b.Bytes())
}

// lines are those that the picture takes up now: more than were drawn if the
// terminal has become narrower since.
func (t *terminal) lines() int {
	width, n := t.width()+1, 0
	for _, l := range t.picture {
		n += max(1, (lipgloss.Width(l)+width-1)/width)
	}
	return n
}

func (t *terminal) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(nil, nil)
}

// The pace of plain lines.
const (
	lineAtMostEvery  = time.Second
	lineAtLeastEvery = 5 * time.Second
)

// plain prints lines, for a file or a pipe: when something changed, but at
// most one a second, and at least one every five.
type plain struct {
	out io.Writer

	mu   sync.Mutex
	last time.Duration
	// doing and keys are what was printed last, told is how many decisions were.
	doing string
	keys  [2]string
	told  int
}

// width of a line that nobody's terminal breaks.
func (p *plain) width() int { return 120 }

func (p *plain) head(line string) { p.say("", "== "+line) }

func (p *plain) say(lines ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.out, strings.Join(lines, "\n")+"\n")
}

func (p *plain) show(s scene) {
	p.mu.Lock()
	defer p.mu.Unlock()
	since := s.at - p.last
	if s.doing == "" || since < lineAtMostEvery && p.last > 0 {
		return
	}
	line := p.news(s)
	if line == "" && since >= lineAtLeastEvery {
		line = heartbeat(s)
	}
	if line == "" {
		return
	}
	p.last = s.at
	_, _ = io.WriteString(p.out, clock(s.at)+"  "+line+"\n")
}

// news is what changed since the last line, empty for nothing. Of two changes
// the second has to wait for its turn.
func (p *plain) news(s scene) string {
	if p.doing != s.doing {
		p.doing, p.keys, p.told = s.doing, [2]string{}, 0
		if len(s.sides) == 0 {
			return s.doing
		}
	}
	for i, v := range s.sides {
		key := sideKey(v)
		if i >= len(p.keys) || p.keys[i] == key {
			continue
		}
		p.keys[i] = key
		line := sideLine(v)
		if v.gated {
			line += p.decided(v.told)
		}
		return line
	}
	return ""
}

// decided prints the decisions that are not printed yet.
func (p *plain) decided(told []decision) string {
	var b strings.Builder
	for _, d := range told[min(p.told, len(told)):] {
		b.WriteString("; " + d.String())
	}
	p.told = len(told)
	return b.String()
}

func (p *plain) close() {}

// writer says what is written to it, for progress that others print.
type writer struct{ screen screen }

// Write prints whole lines.
func (w writer) Write(b []byte) (int, error) {
	w.screen.say(strings.TrimRight(string(b), "\n"))
	return len(b), nil
}
