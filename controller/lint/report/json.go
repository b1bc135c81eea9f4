package report

import (
	"encoding/json"
	"io"

	"github.com/draingate/draingate/controller/lint"
)

// finding is what scripts depend on: these keys and no others. Line and column
// are 0 where no place in the file can be named.
type finding struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Message  string `json:"message"`
	Remedy   string `json:"remedy"`
}

func writeJSON(w io.Writer, r lint.Result) error {
	out := make([]finding, 0, len(r.Findings))
	for _, f := range r.Findings {
		out = append(out, finding{f.Rule, string(f.Severity), f.File, f.Line, f.Column, f.Message, f.Remedy})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
