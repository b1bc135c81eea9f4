package lint

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/draingate/draingate/jobspecs"
	"github.com/draingate/draingate/traefik"
)

// origin is the text that settings were read from.
type origin struct {
	file    string
	content []byte
	places  traefik.Places
	// job is the content as a job, nil for a static configuration file.
	job *jobspecs.File
}

// isJob tells a job from a static configuration file by the end of its name,
// and where both end in .json by what is in it.
func isJob(name string, content []byte) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".nomad", ".hcl":
		return true
	case ".json":
		var top map[string]json.RawMessage
		if json.Unmarshal(content, &top) != nil {
			return false
		}
		for key := range top {
			if strings.EqualFold(key, "Job") || strings.EqualFold(key, "TaskGroups") {
				return true
			}
		}
	}
	return false
}

// shared reports whether there is a job that may need variables of its own.
func (s Settings) shared() bool { return s.origin != nil && s.origin.job != nil }

// place fills in where a setting is said. A finding about a setting that is
// said nowhere stands at the section that it would be in, or at the file.
func (s Settings) place(f *Finding, setting string) {
	if s.origin == nil || setting == "" {
		return
	}
	if p, ok := s.origin.places.Of(setting); ok {
		f.place(s.origin.rangeOf(p), s.origin.content)
	}
}

func (o *origin) rangeOf(p traefik.Place) jobspecs.Range {
	if o.job == nil {
		return spanRange(o.file, p.Span, 0)
	}
	at, found := o.job.Locate(p.Path)
	if p.Span.Line == 0 || found != p.Path {
		return at.Range
	}
	// The text of a heredoc begins on the line after its mark, and all of its
	// lines may be indented.
	value := at.Value
	if value.Start.Byte < 0 || value.End.Byte > len(o.content) || !strings.HasPrefix(string(o.content[value.Start.Byte:value.End.Byte]), "<<") {
		return at.Range
	}
	p.Span.Line += value.Start.Line
	line, _ := lineAt(o.content, p.Span.Line)
	indent, ok := strings.CutSuffix(line, strings.TrimRight(p.Text, "\r"))
	if !ok || p.Span.Line >= value.End.Line || strings.TrimSpace(indent) != "" {
		return at.Range
	}
	return spanRange(o.file, p.Span, utf8.RuneCountInString(indent))
}

func spanRange(file string, s traefik.Span, indent int) jobspecs.Range {
	at := func(column int) jobspecs.Pos { return jobspecs.Pos{Line: s.Line, Column: indent + column, Byte: -1} }
	return jobspecs.Range{File: file, Start: at(s.From), End: at(s.To)}
}
