package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/rule"
)

// indent is what stands before everything that belongs to a finding.
const indent = "    "

func writeText(w io.Writer, r lint.Result, colour bool) error {
	out := bufio.NewWriter(w)
	p := palette{on: colour}
	for i, f := range r.Findings {
		if i > 0 {
			fmt.Fprintln(out)
		}
		writeHead(out, f, p)
		writeExcerpt(out, f, p)
		if f.Window != nil {
			writeLines(out, indent, Timeline(*f.Window))
		}
		if f.Remedy != "" {
			fmt.Fprintln(out, indent+p.dim("write:"))
			writeLines(out, indent+"  ", strings.Split(strings.TrimRight(f.Remedy, "\n"), "\n"))
		}
	}
	return out.Flush()
}

// writeHead has the form that editors and grep know: file:line:column: text.
func writeHead(w io.Writer, f lint.Finding, p palette) {
	where := plain(f.File)
	if where == "" {
		where = "settings"
	}
	switch {
	case f.Line > 0:
		where = fmt.Sprintf("%s:%d:%d", where, f.Line, f.Column)
	case f.Path != "" && f.File != "":
		where += ": " + plain(string(f.Path))
	}
	fmt.Fprintf(w, "%s: %s: %s %s\n", p.bold(where), p.severity(f.Severity), plain(f.Message), p.dim("["+f.Rule+"]"))
}

// writeExcerpt shows the line with marks under what is meant. Widths are those
// on a terminal, on which some characters take two columns.
func writeExcerpt(w io.Writer, f lint.Finding, p palette) {
	e := f.Excerpt
	if strings.TrimSpace(e.Text) == "" {
		return
	}
	number := fmt.Sprintf("%5d", f.Line)
	before, marked := plain(e.Text[:e.From]), plain(e.Text[e.From:e.To])
	fmt.Fprintf(w, "%s %s %s\n", p.dim(number), p.dim("|"), before+marked+plain(e.Text[e.To:]))
	fmt.Fprintf(w, "%s %s %s%s\n", strings.Repeat(" ", len(number)), p.dim("|"),
		strings.Repeat(" ", lipgloss.Width(before)), p.paint(f.Severity, strings.Repeat("^", max(1, lipgloss.Width(marked)))))
}

func writeLines(w io.Writer, before string, lines []string) {
	for _, line := range lines {
		fmt.Fprintln(w, strings.TrimRight(before+plain(line), " "))
	}
}

// plain makes what a file has in it harmless for a terminal.
func plain(text string) string {
	text = strings.ReplaceAll(text, "\t", "    ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
}

// palette colours words; without colour it returns them as they are.
type palette struct{ on bool }

func (p palette) render(style lipgloss.Style, text string) string {
	if !p.on || text == "" {
		return text
	}
	return style.Render(text)
}

func (p palette) bold(text string) string { return p.render(lipgloss.NewStyle().Bold(true), text) }
func (p palette) dim(text string) string  { return p.render(lipgloss.NewStyle().Faint(true), text) }

func (p palette) severity(s rule.Severity) string { return p.paint(s, string(s)) }

// paint gives a text the colour of a severity.
func (p palette) paint(s rule.Severity, text string) string {
	colours := map[rule.Severity]string{rule.Error: "1", rule.Warning: "3", rule.Notice: "6", rule.Unknown: "5"}
	return p.render(lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color(colours[s])), text)
}
