package traefik

import (
	"path"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/draingate/draingate/controller/model"
)

// Span is a stretch of one line of a text. Line, From and To count from 1, the
// columns in code points; To is the first column after it. The zero Span is all
// of the text.
type Span struct{ Line, From, To int }

// Place is where a setting is said.
type Place struct {
	// Path is the part of the Nomad job that says it; empty where a file does.
	Path model.Path
	// Span is where in the text of the file, or of the template at Path, and Text
	// the line of that template; both are zero where all of Path is meant.
	Span Span
	Text string
}

// Places has the places of settings by their path with dots, in lower case:
// providers.consulcatalog.refreshinterval. The empty path is what says all of
// them.
type Places map[string]Place

// Of returns the place of a setting, whatever the case of its path, or else
// that of the nearest section around it. It is false where neither is there.
func (p Places) Of(setting string) (Place, bool) {
	key := strings.ToLower(setting)
	for {
		if at, ok := p[key]; ok {
			return at, true
		}
		if key == "" {
			return Place{}, false
		}
		key = key[:max(0, strings.LastIndex(key, "."))]
	}
}

// StaticPlaces returns where in a static configuration file each key stands. It
// passes over what cannot be read: ParseStatic says what is wrong with that.
func StaticPlaces(name string, content []byte) Places {
	out := Places{}
	for _, k := range keysOf(strings.ToLower(path.Ext(name)), string(content)) {
		// The first of several is where the file is to be mended.
		if _, there := out[k.path]; !there {
			out[k.path] = Place{Span: k.span}
		}
	}
	return out
}

// fileKey is a key of a file. last is the last line of its value; for a section
// it is that of the key itself.
type fileKey struct {
	path string
	span Span
	last int
}

func keysOf(ext, content string) []fileKey {
	if ext == ".toml" {
		return tomlKeys(content)
	}
	var doc yaml.Node
	if yaml.Unmarshal([]byte(content), &doc) != nil || len(doc.Content) == 0 {
		return nil
	}
	return yamlKeys("", doc.Content[0], strings.Split(content, "\n"))
}

// yamlKeys reads JSON as well, which is YAML.
func yamlKeys(at string, node *yaml.Node, lines []string) []fileKey {
	if node.Kind != yaml.MappingNode {
		return nil
	}
	var out []fileKey
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		k := fileKey{path: join(at, key.Value), span: yamlSpan(key, value, lines), last: key.Line}
		if value.Kind != yaml.MappingNode {
			k.last = lastLine(value)
		}
		out = append(append(out, k), yamlKeys(k.path, value, lines)...)
	}
	return out
}

func join(at, key string) string {
	return strings.TrimPrefix(at+"."+strings.ToLower(key), ".")
}

// yamlSpan reaches from the key to the end of a value on the same line.
func yamlSpan(key, value *yaml.Node, lines []string) Span {
	s := Span{Line: key.Line, From: key.Column, To: key.Column + width(key)}
	if value.Kind != yaml.MappingNode && value.Line == key.Line && value.Column > s.To {
		s.To = value.Column + width(value)
	}
	if key.Line <= len(lines) {
		s.To = min(s.To, utf8.RuneCountInString(lines[key.Line-1])+1)
	}
	return s
}

// width is that of a plain or quoted scalar; of a list it is the first bracket.
func width(n *yaml.Node) int {
	w := max(1, utf8.RuneCountInString(n.Value))
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		w = utf8.RuneCountInString(n.Value) + len(`""`)
	}
	return w
}

// lastLine is also that of a text of several lines, give or take one.
func lastLine(n *yaml.Node) int {
	last := n.Line + strings.Count(n.Value, "\n")
	for _, c := range n.Content {
		last = max(last, lastLine(c))
	}
	return last
}
