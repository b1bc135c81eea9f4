package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// covers returns what the list lacks for the reasons that the package declares.
func (l list) covers(dir string) []error {
	reasons, err := declaredReasons(dir)
	if err != nil {
		return []error{err}
	}
	var out []error
	for _, reason := range reasons {
		_, exempt := l.exempt[reason]
		if !exempt && !slices.ContainsFunc(l.mutants, func(m mutant) bool { return isFor(m.id, reason) }) {
			out = append(out, fmt.Errorf("%s: no change for the reason %s of %s", l.name, reason, dir))
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(l.exempt)) {
		if !slices.Contains(reasons, reason) {
			out = append(out, fmt.Errorf("%s: %s is exempt, but %s declares no such reason", l.name, reason, dir))
		}
	}
	return out
}

// isFor reports whether the ID is the reason, or the reason and something that
// does not make it another word: DrainTooShort-2, but not DrainTooShortOnce.
func isFor(id, reason string) bool {
	rest, ok := strings.CutPrefix(id, reason)
	return ok && (rest == "" || !unicode.IsLetter([]rune(rest)[0]))
}

// declaredReasons returns the values of all constants of the type Reason or
// model.Reason in the folder's files, tests left out, sorted.
func declaredReasons(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				out = append(out, reasonsOf(v)...)
			}
			return true
		})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s declares no constants of the type model.Reason", dir)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// reasonsOf also reads the form X = model.Reason("X").
func reasonsOf(v *ast.ValueSpec) []string {
	var out []string
	for _, value := range v.Values {
		kind := v.Type
		if call, ok := value.(*ast.CallExpr); ok && kind == nil && len(call.Args) == 1 {
			kind, value = call.Fun, call.Args[0]
		}
		if text, ok := value.(*ast.BasicLit); ok && text.Kind == token.STRING && isReason(kind) {
			if s, err := strconv.Unquote(text.Value); err == nil && s != "" {
				out = append(out, s)
			}
		}
	}
	return out
}

func isReason(kind ast.Expr) bool {
	switch k := kind.(type) {
	case *ast.Ident:
		return k.Name == "Reason"
	case *ast.SelectorExpr:
		return k.Sel.Name == "Reason"
	default:
		return false
	}
}
