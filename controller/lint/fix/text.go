package fix

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/jobspecs"
)

// text is a source with its syntax tree.
type text struct {
	file   *jobspecs.File
	tokens hclsyntax.Tokens
	// blocks are those that are written, by the byte of their opening brace.
	blocks map[int]*hclsyntax.Block
	// dynamic are the ranges of dynamic blocks.
	dynamic []hcl.Range
}

func newText(file *jobspecs.File) *text {
	t := &text{file: file, blocks: map[int]*hclsyntax.Block{}}
	if file.Syntax != jobspecs.HCL {
		return t
	}
	t.tokens, _ = hclsyntax.LexConfig(file.Content, file.Name, hcl.InitialPos)
	parsed, _ := hclsyntax.ParseConfig(file.Content, file.Name, hcl.InitialPos)
	if body, ok := parsed.Body.(*hclsyntax.Body); ok {
		t.visit(body)
	}
	return t
}

func (t *text) visit(body *hclsyntax.Body) {
	for _, b := range body.Blocks {
		t.blocks[b.OpenBraceRange.Start.Byte] = b
		if b.Type == "dynamic" {
			t.dynamic = append(t.dynamic, b.Range())
		}
		t.visit(b.Body)
	}
}

// splices has one splice for each edit, or says why there is none for one of
// them.
func (t *text) splices(edits []rule.Edit) ([]splice, string) {
	var out []splice
	for _, e := range edits {
		s, why := t.splice(e)
		if why != "" {
			return nil, why
		}
		out = append(out, s)
	}
	return out, ""
}

func (t *text) splice(e rule.Edit) (splice, string) {
	if t.file.Syntax != jobspecs.HCL {
		return splice{}, "the file is JSON, and only HCL is written"
	}
	at, found := t.file.Locate(e.Path)
	switch {
	case !at.Range.Known() || at.Range.Start.Byte < 0:
		return splice{}, "it stands nowhere in the file"
	case t.made(at.Range.Start.Byte):
		return splice{}, fmt.Sprintf("a dynamic block makes it, at %s", at.Range)
	case found == e.Path && e.Rename != "":
		return t.rename(e, at)
	case found == e.Path:
		return t.replace(e, at)
	case found.Parent() == model.JobPath.Child("update"):
		return splice{}, fmt.Sprintf("the job sets it for all of its groups, at %s", at.Range)
	case found.Name() == e.Path.Name():
		return splice{}, fmt.Sprintf("the service sets it for all of its checks, at %s", at.Range)
	case t.blocks[at.Value.Start.Byte] == nil && at.Value.Known():
		return splice{}, t.workedOut(at)
	case found != e.Path.Parent() || e.Rename != "":
		return splice{}, fmt.Sprintf("there is no block of its own to write %s into", e.Path.Name())
	default:
		return t.insert(e, at)
	}
}

// made reports whether a dynamic block makes what stands there.
func (t *text) made(offset int) bool {
	for _, r := range t.dynamic {
		if r.Start.Byte <= offset && offset < r.End.Byte {
			return true
		}
	}
	return false
}

func (t *text) between(r jobspecs.Range) string {
	return string(t.file.Content[r.Start.Byte:r.End.Byte])
}

// rename replaces the key of an entry of a map, or the name of an attribute.
func (t *text) rename(e rule.Edit, at jobspecs.Position) (splice, string) {
	whole, old := t.between(at.Range), e.Path.Name()
	if key := e.Path.Parent().Key(e.Rename); t.file.Has(key) {
		return splice{}, fmt.Sprintf("there is a %s beside it", e.Rename)
	}
	for _, written := range []string{old, strconv.Quote(old)} {
		if old != "" && strings.HasPrefix(whole, written) {
			start := at.Range.Start.Byte + strings.Index(written, old)
			return splice{start, start + len(old), e.Rename}, ""
		}
	}
	return splice{}, fmt.Sprintf("its key is not written as such at %s", at.Range)
}

// replace replaces a value that is written as such.
func (t *text) replace(e rule.Edit, at jobspecs.Position) (splice, string) {
	written := t.between(at.Value)
	if strings.HasPrefix(written, "<<") {
		return splice{}, fmt.Sprintf("its value is a heredoc, at %s", at.Range)
	}
	expr, diags := hclsyntax.ParseExpression([]byte(written), t.file.Name, hcl.InitialPos)
	if diags.HasErrors() || !isLiteral(expr) {
		return splice{}, t.workedOut(at)
	}
	return splice{at.Value.Start.Byte, at.Value.End.Byte, literal(e.Value)}, ""
}

func (t *text) workedOut(at jobspecs.Position) string {
	return fmt.Sprintf("its value is worked out, at %s: %s", at.Range, inline(t.between(at.Value)))
}

// isLiteral reports whether the expression has its value in itself: a number,
// a word such as true, or a string without anything to fill in.
func isLiteral(expr hclsyntax.Expression) bool {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return true
	case *hclsyntax.TemplateExpr:
		return e.IsStringLiteral()
	default:
		return false
	}
}

// literal is a value of an edit as HCL.
func literal(value any) string {
	var v cty.Value
	switch value := value.(type) {
	case string:
		v = cty.StringVal(value)
	case int:
		v = cty.NumberIntVal(int64(value))
	case bool:
		v = cty.BoolVal(value)
	default:
		panic(fmt.Sprintf("an edit with a value of type %T", value))
	}
	return string(hclwrite.TokensForValue(v).Bytes())
}

// inline is the start of a text on one line.
func inline(text string) string {
	const most = 60
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) > most {
		return string(line[:most]) + "…"
	}
	return string(line)
}
