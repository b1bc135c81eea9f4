package report

import (
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/rule"
)

const (
	// home is where people find out about the tool, and reference where each
	// rule is explained.
	home      = "https://github.com/draingate/draingate"
	reference = home + "/blob/main/docs/rules.md"
)

func writeSARIF(w io.Writer, r lint.Result, version string) error {
	return newSARIF(r, version).PrettyWrite(w)
}

func newSARIF(r lint.Result, version string) *sarif.Report {
	all := lint.Rules()
	run := sarif.NewRunWithInformationURI("draingate", home).WithColumnKind("unicodeCodePoints")
	if version != "" {
		run.Tool.Driver.WithVersion(version)
	}
	for _, one := range all {
		run.Tool.Driver.AddRule(descriptor(one))
	}
	for _, f := range r.Findings {
		run.AddResult(result(f, index(all, f.Rule)))
	}
	return sarif.NewReport().AddRun(run)
}

func descriptor(r rule.Rule) *sarif.ReportingDescriptor {
	text := func(s string) *sarif.MultiformatMessageString { return sarif.NewMultiformatMessageString().WithText(s) }
	return sarif.NewReportingDescriptor().WithID(r.ID).WithName(r.Name).
		WithShortDescription(text(r.Summary)).
		WithFullDescription(text(r.Why)).
		WithHelp(text(r.Summary + " " + r.Why)).
		WithHelpURI(reference + "#" + Anchor(r)).
		WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(level(r.Severity)))
}

// Anchor is where the rule stands on the page of rules: the heading "DG101:
// name" as code hosts turn it into an anchor.
func Anchor(r rule.Rule) string { return strings.ToLower(r.ID) + "-" + r.Name }

// level is SARIF's word. It has none for what cannot be known, which the
// message then says.
func level(s rule.Severity) string {
	switch s {
	case rule.Error:
		return sarif.LevelError
	case rule.Warning:
		return sarif.LevelWarning
	case rule.Notice, rule.Unknown:
		return sarif.LevelNote
	default:
		return sarif.LevelNone
	}
}

func result(f lint.Finding, at int) *sarif.Result {
	physical := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(uri(f.File)))
	if f.Line > 0 {
		physical.WithRegion(region(f))
	}
	return sarif.NewRuleResult(f.Rule).WithRuleIndex(at).WithLevel(level(f.Severity)).
		WithMessage(sarif.NewTextMessage(message(f, "\n\n"))).
		WithLocations([]*sarif.Location{sarif.NewLocationWithPhysicalLocation(physical)})
}

// region has columns in code points, which the finding itself has not.
func region(f lint.Finding) *sarif.Region {
	out := sarif.NewRegion().WithStartLine(f.Line)
	if f.Excerpt.Text == "" {
		return out.WithStartColumn(max(f.Column, 1))
	}
	column := func(offset int) int { return utf8.RuneCountInString(f.Excerpt.Text[:offset]) + 1 }
	out.WithStartColumn(column(f.Excerpt.From))
	if f.EndLine == f.Line {
		out.WithEndColumn(column(f.Excerpt.To))
	}
	return out
}

// uri makes a reference of a file's name: relative as it was given, or with
// the scheme file. What is a URL stays one.
func uri(name string) string {
	if strings.Contains(name, "://") {
		return name
	}
	if job, is := strings.CutPrefix(name, "nomad:"); is {
		return (&url.URL{Scheme: "nomad", Opaque: (&url.URL{Path: job}).EscapedPath()}).String()
	}
	u := url.URL{Path: filepath.ToSlash(name)}
	if filepath.IsAbs(name) {
		u.Scheme = "file"
	}
	return u.String()
}
