package report

import (
	"encoding/json"
	"io"

	"github.com/draingate/draingate/controller/lint"
)

// finding is what scripts depend on: these keys and no others. Line and column
// are 0 where no place in the file can be named; then path, which is left out
// otherwise, says where in the job it is.
type finding struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Path     string `json:"path,omitempty"`
	Message  string `json:"message"`
	Remedy   string `json:"remedy"`
}

func writeJSON(w io.Writer, r lint.Result) error {
	out := make([]finding, 0, len(r.Findings))
	for _, f := range r.Findings {
		one := finding{Rule: f.Rule, Severity: string(f.Severity), File: f.File, Line: f.Line, Column: f.Column, Message: f.Message, Remedy: f.Remedy}
		if f.Line == 0 {
			one.Path = string(f.Path)
		}
		out = append(out, one)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
