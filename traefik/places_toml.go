package traefik

import (
	"strings"
	"unicode/utf8"
)

// tomlKeys finds the keys of a TOML file that a decoder has taken or will
// refuse: it looks for lines with a header or with key = value, outside of
// strings and lists of several lines. What an inline table holds has the place
// of the table.
func tomlKeys(content string) []fileKey {
	s := tomlScanner{}
	for i, line := range strings.Split(content, "\n") {
		s.line(i+1, strings.TrimRight(line, "\r"))
	}
	return s.keys
}

type tomlScanner struct {
	keys   []fileKey
	header string
	// open is what a string of several lines ends with, depth how many brackets
	// of a list are open.
	open  string
	depth int
}

func (s *tomlScanner) line(number int, line string) {
	if s.open != "" || s.depth > 0 {
		s.keys[len(s.keys)-1].last = number
		s.skip(line)
		return
	}
	text := strings.TrimLeft(line, " \t")
	from := utf8.RuneCountInString(line[:len(line)-len(text)]) + 1
	switch {
	case text == "" || text[0] == '#':
	case text[0] == '[':
		name, _, _ := strings.Cut(strings.TrimLeft(text, "["), "]")
		s.header = tomlPath("", name)
		s.add(s.header, Span{number, from, from + utf8.RuneCountInString(withoutComment(text))}, number)
	default:
		key, value, _ := cutOutside(text, '=')
		s.add(tomlPath(s.header, key), Span{number, from, from + utf8.RuneCountInString(withoutComment(text))}, number)
		s.skip(value)
	}
}

// add adds also the sections that a key with dots stands in.
func (s *tomlScanner) add(path string, at Span, last int) {
	for i, c := range path {
		if c == '.' && !s.has(path[:i]) {
			s.keys = append(s.keys, fileKey{path[:i], at, last})
		}
	}
	s.keys = append(s.keys, fileKey{path, at, last})
}

func (s *tomlScanner) has(path string) bool {
	for _, k := range s.keys {
		if k.path == path {
			return true
		}
	}
	return false
}

// skip follows strings and brackets to the end of a line.
func (s *tomlScanner) skip(text string) {
	for text != "" {
		if s.open != "" {
			_, after, ended := strings.Cut(text, s.open)
			if !ended {
				return
			}
			s.open, text = "", after
			continue
		}
		switch c := text[0]; {
		case strings.HasPrefix(text, `"""`), strings.HasPrefix(text, `'''`):
			s.open, text = text[:3], text[3:]
			continue
		case c == '#':
			return
		case c == '"' || c == '\'':
			text = text[len(quoted(text)):]
			continue
		case c == '[' || c == '{':
			s.depth++
		case c == ']' || c == '}':
			s.depth--
		}
		text = text[1:]
	}
}

// quoted is the string that the text begins with, or all of it.
func quoted(text string) string {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && text[0] == '"':
			i++
		case text[i] == text[0]:
			return text[:i+1]
		}
	}
	return text
}

// cutOutside cuts at the first such character that is not in quotes.
func cutOutside(text string, at byte) (before, after string, found bool) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"', '\'':
			i += len(quoted(text[i:])) - 1
		case at:
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

func withoutComment(text string) string {
	before, _, _ := cutOutside(text, '#')
	return strings.TrimRight(before, " \t")
}

// tomlPath is the path of a key with dots, whose parts may be quoted.
func tomlPath(at, key string) string {
	for found := true; found; {
		var part string
		part, key, found = cutOutside(key, '.')
		at = join(at, strings.Trim(part, " \t\"'"))
	}
	return at
}
