package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// apply returns the file's text with the change in it, below the root.
func (m mutant) apply(root string) ([]byte, error) {
	name := filepath.Join(root, m.file)
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	from, to := 0, len(text)
	if m.fn != "" {
		if from, to, err = function(name, text, m.fn); err != nil {
			return nil, err
		}
	}
	switch n := bytes.Count(text[from:to], []byte(m.old)); {
	case n == 0:
		return nil, fmt.Errorf("the old text does not occur in %s: %s", m.place(), m.old)
	case n > 1:
		return nil, fmt.Errorf("the old text occurs %d times in %s, at lines %s: take more of the line, or name the function as %s#Func: %s",
			n, m.place(), linesOf(text, from, to, m.old), m.file, m.old)
	}
	at := from + bytes.Index(text[from:to], []byte(m.old))
	out := append([]byte(nil), text[:at]...)
	out = append(out, m.new...)
	return append(out, text[at+len(m.old):]...), nil
}

func (m mutant) place() string {
	if m.fn == "" {
		return m.file
	}
	return m.file + "#" + m.fn
}

func linesOf(text []byte, from, to int, old string) string {
	var out []string
	for at := from; ; {
		i := bytes.Index(text[at:to], []byte(old))
		if i < 0 {
			return strings.Join(out, ", ")
		}
		at += i
		out = append(out, strconv.Itoa(1+bytes.Count(text[:at], []byte("\n"))))
		at += len(old)
	}
}

// function returns where a function stands in the file. A method is named
// Type.Method.
func function(name string, text []byte, fn string) (from, to int, err error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
	if err != nil {
		return 0, 0, err
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && funcName(f) == fn {
			return set.Position(f.Pos()).Offset, set.Position(f.End()).Offset, nil
		}
	}
	return 0, 0, errors.New(name + " has no function " + fn)
}

func funcName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	kind := f.Recv.List[0].Type
	if star, ok := kind.(*ast.StarExpr); ok {
		kind = star.X
	}
	if generic, ok := kind.(*ast.IndexExpr); ok {
		kind = generic.X
	}
	if id, ok := kind.(*ast.Ident); ok {
		return id.Name + "." + f.Name.Name
	}
	return f.Name.Name
}
