package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mutant is one change to the source and the tests that should notice it.
type mutant struct {
	line int
	id   string
	// file is relative to the module's root. Where fn is not empty, the text
	// is looked for in that function only.
	file, fn string
	old, new string
	// test are the arguments of go test: packages, and -run where it helps.
	test []string
}

// list is a parsed list of changes and of reasons that need none.
type list struct {
	name    string
	mutants []mutant
	exempt  map[string]string
}

const separator = " | "

func readList(name string) (list, error) {
	l := list{name: name, exempt: map[string]string{}}
	f, err := os.Open(name)
	if err != nil {
		return l, err
	}
	defer f.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(f)
	ids := map[string]int{}
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if err := l.add(n, text, ids); err != nil {
			return l, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return l, fmt.Errorf("%s: %w", name, err)
	}
	if len(l.mutants) == 0 {
		return l, fmt.Errorf("%s: no changes in it", name)
	}
	return l, nil
}

func (l *list) add(n int, text string, ids map[string]int) error {
	fields := strings.Split(text, separator)
	if strings.TrimSpace(fields[0]) == "exempt" {
		if len(fields) != 3 || strings.TrimSpace(fields[2]) == "" {
			return fmt.Errorf("want: exempt | REASON | why it needs no change")
		}
		l.exempt[strings.TrimSpace(fields[1])] = fields[2]
		return nil
	}
	m, err := parseMutant(n, fields)
	if err != nil {
		return err
	}
	if first, ok := ids[m.id]; ok {
		return fmt.Errorf("the ID %s stands in line %d already", m.id, first)
	}
	ids[m.id] = n
	l.mutants = append(l.mutants, m)
	return nil
}

func parseMutant(n int, fields []string) (mutant, error) {
	if len(fields) != 4 {
		return mutant{}, fmt.Errorf("want 4 fields, ID | FILE | OLD => NEW | TEST, but there are %d", len(fields))
	}
	before, after, ok := cutArrow(fields[2])
	m := mutant{line: n, id: strings.TrimSpace(fields[0]), old: before, new: after, test: strings.Fields(fields[3])}
	m.file, m.fn, _ = strings.Cut(strings.TrimSpace(fields[1]), "#")
	switch {
	case m.id == "" || strings.ContainsAny(m.id, " \t"):
		return m, fmt.Errorf("%q is no ID: give one word", m.id)
	case !filepath.IsLocal(m.file) || !strings.HasSuffix(m.file, ".go"):
		return m, fmt.Errorf("%q is no Go file below the module's root", m.file)
	case !ok || m.old == "":
		return m, fmt.Errorf("%q is not OLD => NEW", fields[2])
	case m.old == m.new:
		return m, fmt.Errorf("old and new are the same")
	case len(m.test) == 0:
		return m, fmt.Errorf("no package to test")
	case strings.ContainsAny(fields[3], `'"`):
		return m, fmt.Errorf("%q has quotes, and no shell takes them off: leave them out", strings.TrimSpace(fields[3]))
	}
	return m, nil
}

// cutArrow splits at the arrow, of which both spellings are good. Nothing on
// its right removes the old text.
func cutArrow(text string) (before, after string, ok bool) {
	for _, arrow := range []string{"=>", "→"} {
		if before, after, ok = strings.Cut(text, arrow); ok {
			return strings.TrimSpace(before), strings.TrimSpace(after), true
		}
	}
	return "", "", false
}
