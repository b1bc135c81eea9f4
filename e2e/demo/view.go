package main

import (
	"fmt"
	"math"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/draingate/draingate/e2e/harness"
)

// palette is how the parts of the picture look. The zero value has no colours.
type palette struct {
	head, name, good, bad, hold, faint lipgloss.Style
}

// colours are those of the terminal's own theme.
func colours() palette {
	style := lipgloss.NewStyle
	return palette{
		head: style().Bold(true), name: style().Bold(true).Foreground(lipgloss.Cyan),
		good: style().Foreground(lipgloss.Green), bad: style().Foreground(lipgloss.Red).Bold(true),
		hold: style().Foreground(lipgloss.Yellow), faint: style().Faint(true),
	}
}

// label is the width of the words at the left of the picture.
const label = 13

// draw makes the picture of a scene: lines that are at most width wide.
func draw(s scene, width int, p palette) []string {
	if s.doing == "" {
		return nil
	}
	lines := []string{p.head.Render(clock(s.at) + "  " + s.doing)}
	for _, v := range s.sides {
		lines = append(lines, drawSide(v, width, p)...)
	}
	if len(s.sides) > 0 {
		lines = append(lines, p.faint.Render("one mark a second: · all answered well, ▁ to █ the share that was lost"))
	}
	for i, l := range lines {
		lines[i] = fit(l, width)
	}
	return lines
}

func drawSide(v sideView, width int, p palette) []string {
	last := v.lastSecond()
	lost := p.good
	if v.lost > 0 {
		lost = p.bad
	}
	lines := []string{
		p.name.Render(promoter(v.gated)+" decides") + p.faint.Render("  "+settingsOf(v.gated)),
		row("now", v.phase),
		row("answers", marks(v.seconds, width-label-22, p)+fmt.Sprintf("  %d good, %d lost /s", last.Good, last.Lost)),
		row("total", lost.Render(fmt.Sprintf("%s requests, %s lost", thousands(v.requests), thousands(v.lost)))+"  "+answering(v)),
	}
	if !v.gated {
		return lines
	}
	if n := len(v.told); n > 0 {
		lines = append(lines, row("so far", steps(v.told[max(0, n-lastSteps):])))
	}
	return append(lines, drawDecision(v.said, width, p)...)
}

// lastSteps is how many decisions are shown, so that they have room in a line.
const lastSteps = 4

// drawDecision shows what draingate decides and why, over a few lines.
func drawDecision(d decision, width int, p palette) []string {
	if d.Decision == "" {
		return []string{row("draingate", p.faint.Render("has no deployment to decide"))}
	}
	style := p.good
	if d.Decision == "Hold" {
		style = p.hold
	}
	lines := []string{row("draingate", style.Render(d.Decision+" "+d.Reason))}
	for i, l := range wrapped(d.Message, width-label) {
		if i == 10 {
			break
		}
		lines = append(lines, row("", l))
	}
	return lines
}

func settingsOf(gated bool) string {
	if gated {
		return `auto_promote = false, draingate_mode = "enforce"`
	}
	return `auto_promote = true, draingate_mode = "off"`
}

func row(name, text string) string { return fmt.Sprintf("%-*s", label, "  "+name) + text }

// answering says which versions answer now.
func answering(v sideView) string {
	switch {
	case v.requests == 0:
		return ""
	case !v.sending:
		return "the load has ended"
	case len(v.versions) == 0:
		return "no version answers"
	default:
		return "answers come from version " + strings.Join(v.versions, " and ")
	}
}

// marks has one mark for each of the last seconds, n at most.
func marks(seconds []harness.LoadSecond, n int, p palette) string {
	if n = max(n, 0); len(seconds) > n {
		seconds = seconds[len(seconds)-n:]
	}
	var b strings.Builder
	for _, s := range seconds {
		m := mark(s)
		style := p.bad
		if s.Lost == 0 {
			style = p.good
		}
		b.WriteString(style.Render(string(m)))
	}
	return b.String()
}

// mark is the share of a second's requests that was lost. However small it is,
// it differs from none.
func mark(s harness.LoadSecond) rune {
	all := s.Good + s.Lost
	switch {
	case all == 0:
		return ' '
	case s.Lost == 0:
		return '·'
	default:
		share := float64(s.Lost) / float64(all)
		return []rune("▁▂▃▄▅▆▇█")[int(math.Ceil(share*8))-1]
	}
}

// wrapped breaks a text into lines.
func wrapped(text string, width int) []string {
	return strings.Split(lipgloss.Wrap(text, max(width, 20), ""), "\n")
}

// fit cuts a line to the width. One that is cut in the terminal's own way would
// become two, and the picture could not be drawn over.
func fit(line string, width int) string {
	return lipgloss.NewStyle().Inline(true).MaxWidth(max(width, 1)).Render(line)
}

// sideLine is one side in one line, without colours.
func sideLine(v sideView) string {
	last := v.lastSecond()
	line := fmt.Sprintf("%-9s  %d good, %d lost /s; %s of %s lost; %s", promoter(v.gated), last.Good, last.Lost,
		thousands(v.lost), thousands(v.requests), v.phase)
	if text := answering(v); text != "" {
		line += "; " + text
	}
	return line
}

// sideKey changes when something happens that a person should hear of.
func sideKey(v sideView) string {
	return fmt.Sprint(v.phase, v.versions, v.sending, v.lastSecond().Lost > 0, len(v.told))
}

// heartbeat is the whole scene in one line.
func heartbeat(s scene) string {
	var line strings.Builder
	line.WriteString(s.doing)
	for _, v := range s.sides {
		last := v.lastSecond()
		fmt.Fprintf(&line, "; %s: %d good, %d lost /s, %s of %s lost", promoter(v.gated), last.Good, last.Lost, thousands(v.lost), thousands(v.requests))
		if v.gated && v.said.Decision != "" {
			line.WriteString(", " + v.said.Decision + " " + v.said.Reason)
		}
	}
	return line.String()
}
