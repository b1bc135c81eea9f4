package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/rule"
)

// The formats.
const (
	// Text is for people: the place, the message, the line with what is meant
	// marked, and what to write instead.
	Text = "text"
	// JSON is an array of findings, each with rule, severity, file, line,
	// column, message and remedy.
	JSON = "json"
	// SARIF is the Static Analysis Results Interchange Format, version 2.1.0.
	SARIF = "sarif"
	// GitHub are the workflow commands that annotate the lines of a change.
	GitHub = "github"
)

// Formats returns all formats.
func Formats() []string { return []string{Text, JSON, SARIF, GitHub} }

// Options say how to write.
type Options struct {
	Format string
	// Colour is for the format Text.
	Colour bool
	// Version is draingate's own.
	Version string
}

// Write writes the findings in a format. The error is that of the writer, or
// says that there is no such format.
func Write(w io.Writer, r lint.Result, o Options) error {
	switch o.Format {
	case Text:
		return writeText(w, r, o.Colour)
	case JSON:
		return writeJSON(w, r)
	case SARIF:
		return writeSARIF(w, r, o.Version)
	case GitHub:
		return writeGitHub(w, r)
	default:
		return fmt.Errorf("format %q: give %s", o.Format, strings.Join(Formats(), ", "))
	}
}

// Summary is one line: how many files, how many findings of each severity, and
// whether Traefik's defaults were assumed.
func Summary(r lint.Result) string {
	out := looked(r) + ": " + counts(r)
	if r.Unreadable > 0 {
		out += fmt.Sprintf("; %s could not be parsed", count(r.Unreadable, "file"))
	}
	if r.Settings.Assumed {
		out += "; Traefik's defaults were assumed: give --traefik-config FILE or --traefik-url URL for your own"
	}
	return out
}

// looked is how much was looked at.
func looked(r lint.Result) string {
	switch {
	case r.Jobs == 0:
		return count(r.Files, "file")
	case r.Files == 0:
		return count(r.Jobs, "live job")
	default:
		return count(r.Files, "file") + ", " + count(r.Jobs, "live job")
	}
}

func counts(r lint.Result) string {
	if len(r.Findings) == 0 {
		return "no findings"
	}
	var parts []string
	for _, s := range rule.Severities() {
		n := r.Count(s)
		switch {
		case n == 0:
		case s == rule.Unknown:
			parts = append(parts, fmt.Sprintf("%d unknown", n))
		default:
			parts = append(parts, count(n, string(s)))
		}
	}
	return strings.Join(parts, ", ")
}

func count(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

// message says also what the format has no other place for; the gap stands
// before the remedy.
func message(f lint.Finding, gap string) string {
	out := f.Message
	if f.Line == 0 && f.Path != "" {
		out = string(f.Path) + ": " + out
	}
	if f.Severity == rule.Unknown {
		out = "unknown: " + out
	}
	if f.Remedy != "" {
		out += gap + f.Remedy
	}
	return out
}

// titles are the names of the rules by their IDs.
func titles() map[string]string {
	out := map[string]string{}
	for _, r := range lint.Rules() {
		out[r.ID] = r.Name
	}
	return out
}

// index is where a rule stands among all.
func index(all []rule.Rule, id string) int {
	return slices.IndexFunc(all, func(r rule.Rule) bool { return r.ID == id })
}
