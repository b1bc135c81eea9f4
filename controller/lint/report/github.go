package report

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/rule"
)

// writeGitHub writes one workflow command a finding. GitHub has three levels;
// what is unknown is a notice and says so.
func writeGitHub(w io.Writer, r lint.Result) error {
	out := bufio.NewWriter(w)
	names := titles()
	for _, f := range r.Findings {
		level := string(f.Severity)
		if f.Severity == rule.Unknown {
			level = string(rule.Notice)
		}
		properties := "file=" + property(filepath.ToSlash(f.File))
		if f.Line > 0 {
			properties += fmt.Sprintf(",line=%d,col=%d", f.Line, f.Column)
		}
		if f.EndLine == f.Line && f.EndColumn > f.Column {
			properties += fmt.Sprintf(",endColumn=%d", f.EndColumn)
		}
		fmt.Fprintf(out, "::%s %s,title=%s::%s\n", level, properties, property(f.Rule+" "+names[f.Rule]), data(message(f, "\n")))
	}
	return out.Flush()
}

// data escapes the text of a workflow command (actions/toolkit,
// packages/core/src/command.ts, escapeData).
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// property escapes a property of a workflow command (escapeProperty).
func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data(s))
}
