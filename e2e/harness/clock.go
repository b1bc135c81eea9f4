package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The clock that BuildWithClock puts in the place of package time's. The name
// is one that no file has for anything else.
const (
	clockImport = "github.com/draingate/draingate/e2e/jump"
	clockName   = "jump_clock"
)

// BuildWithClock builds the command from this repository's source into dir,
// with a clock whose wall reading jumps on a signal: see package jump in
// e2e/jump. The source is not changed: the go tool takes rewritten copies of
// the files that read the clock. What other modules read is the true clock.
func BuildWithClock(ctx context.Context, dir string) (binary string, err error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	overlay, err := writeOverlay(root, dir)
	if err != nil {
		return "", fmt.Errorf("build draingate with a clock that jumps: %w", err)
	}
	binary = filepath.Join(dir, "draingate")
	out, err := goCommand(ctx, root, "build", "-overlay", overlay, "-o", binary, "./cmd/draingate").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build draingate with a clock that jumps: %w\n%s", err, out)
	}
	return binary, nil
}

// writeOverlay writes the copies and the list of them that the go tool reads
// (go help build, -overlay).
func writeOverlay(root, dir string) (string, error) {
	overlay := struct{ Replace map[string]string }{Replace: map[string]string{}}
	for _, folder := range []string{"cmd", "controller", "traefik"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			rewritten, err := withClock(path, text)
			if err != nil || rewritten == nil {
				return err
			}
			copied := filepath.Join(dir, "overlay-"+strconv.Itoa(len(overlay.Replace))+".go")
			overlay.Replace[path] = copied
			return os.WriteFile(copied, rewritten, 0o600)
		})
		if err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	return list, os.WriteFile(list, text, 0o600)
}

// withClock returns the file with time.Now, time.Since and time.Until, called
// or not, replaced by the clock's, or nil where it has none of them. Lines keep
// their numbers.
func withClock(path string, text []byte) ([]byte, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, 0)
	if err != nil {
		return nil, fmt.Errorf("read the source: %w", err)
	}
	name, err := timeName(file)
	if err != nil {
		return nil, fmt.Errorf("replace the clock in %s: %w", path, err)
	}
	uses := clockUses(file, name)
	if name == "" || len(uses) == 0 {
		return nil, nil
	}
	var out bytes.Buffer
	at := set.Position(file.Name.End()).Offset
	out.Write(text[:at])
	fmt.Fprintf(&out, "; import %s %q", clockName, clockImport)
	for _, use := range uses {
		from := set.Position(use.Pos()).Offset
		out.Write(text[at:from])
		out.WriteString(clockName)
		at = from + len(name)
	}
	out.Write(text[at:])
	// The package may have no other use left.
	fmt.Fprintf(&out, "\nvar _ %s.Time\n", name)
	return out.Bytes(), nil
}

// timeName is the name by which a file knows package time, empty where it does
// not import it.
func timeName(file *ast.File) (string, error) {
	for _, i := range file.Imports {
		if i.Path.Value != `"time"` {
			continue
		}
		switch {
		case i.Name == nil:
			return "time", nil
		case i.Name.Name == ".":
			return "", fmt.Errorf("it imports package time without a name")
		case i.Name.Name != "_":
			return i.Name.Name, nil
		}
	}
	return "", nil
}

// clockUses are the mentions of package time in front of the functions that
// read the clock, in the file's order. A local variable of the same name has
// an object, which the name of an import has not.
func clockUses(file *ast.File, name string) []*ast.Ident {
	var out []*ast.Ident
	ast.Inspect(file, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		switch s.Sel.Name {
		case "Now", "Since", "Until":
			if id, ok := s.X.(*ast.Ident); ok && id.Name == name && id.Obj == nil {
				out = append(out, id)
			}
		}
		return true
	})
	return out
}
