package controller_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
)

// impure are the parts that pure code must leave alone of packages that it may
// import: what reads a clock, waits, prints, or reads.
func impure(importPath, name string) bool {
	switch importPath {
	case "time":
		return slices.Contains([]string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "NewTimer", "NewTicker", "Tick", "Local", "LoadLocation"}, name)
	case "fmt":
		return slices.Contains([]string{"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"}, name)
	case "net":
		return !slices.Contains([]string{"JoinHostPort", "SplitHostPort", "ParseIP", "ParseCIDR", "IP", "IPNet", "IPv4", "IPMask"}, name)
	case "go/parser":
		return slices.Contains([]string{"ParseFile", "ParseDir"}, name)
	case "text/template":
		return slices.Contains([]string{"ParseFiles", "ParseGlob", "ParseFS"}, name)
	default:
		return false
	}
}

// impureUses returns what a file uses of that, as file positions and names.
// A function that is only passed on counts as well as one that is called.
func impureUses(file string) ([]string, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, nil, 0)
	if err != nil {
		return nil, err
	}
	names, out := importNames(parsed)
	ast.Inspect(parsed, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		// An identifier that the parser resolved is a variable of the file
		// that happens to have the name of a package.
		if x, ok := sel.X.(*ast.Ident); ok && x.Obj == nil && impure(names[x.Name], sel.Sel.Name) {
			out = append(out, fmt.Sprintf("%s.%s in line %d", names[x.Name], sel.Sel.Name, set.Position(sel.Pos()).Line))
		}
		return true
	})
	return out, nil
}

// importNames returns the package behind each name, and what makes that
// impossible to tell: an import into the file's own scope.
func importNames(file *ast.File) (map[string]string, []string) {
	names := map[string]string{}
	var problems []string
	for _, i := range file.Imports {
		importPath, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		name := path.Base(importPath)
		if i.Name != nil {
			name = i.Name.Name
		}
		if name == "." {
			problems = append(problems, "an import of "+importPath+" without a name")
		}
		names[name] = importPath
	}
	return names, problems
}
