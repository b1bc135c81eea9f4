package jobspecs

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/draingate/draingate/controller/model"
)

// hclWalker collects the positions of a source in HCL, native or as JSON. It
// passes over whatever is wrong: Nomad's parser has accepted the source, or
// will say what is wrong with it.
type hclWalker struct {
	positions positions
	// blocks are the native blocks by the byte at which they start.
	blocks map[int]*hclsyntax.Block
	// dynamic is true where there is a dynamic block; ctx then evaluates it.
	dynamic bool
	ctx     *hcl.EvalContext
	// lengths are those of lists whose length is known from the job.
	lengths map[model.Path]int
}

// file finds the job block.
func (w *hclWalker) file(body hcl.Body) {
	content, _, _ := body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "job", LabelNames: []string{"name"}}}})
	for _, b := range content.Blocks {
		w.positions.add(model.JobPath, w.header(b))
		w.body(model.JobPath, w.expand(b.Body), jobShape())
	}
}

// header is the position of a block. One that a dynamic block made is where
// its content block is.
func (w *hclWalker) header(b *hcl.Block) Position {
	out := Position{Range: rangeOf(b.DefRange)}
	native := w.blocks[b.DefRange.Start.Byte]
	if native == nil {
		return out
	}
	if native.Type == "dynamic" {
		for _, inner := range native.Body.Blocks {
			if inner.Type == "content" {
				return Position{Range: rangeOf(inner.DefRange()), Value: braces(inner)}
			}
		}
	}
	out.Value = braces(native)
	return out
}

func braces(b *hclsyntax.Block) Range {
	return rangeOf(hcl.RangeBetween(b.OpenBraceRange, b.CloseBraceRange))
}

func (w *hclWalker) body(at model.Path, body hcl.Body, s *shape) {
	if s.mapping {
		attributes, _ := body.JustAttributes()
		for name, a := range attributes {
			w.attribute(at.Key(name), a)
		}
		return
	}
	content, rest, _ := body.PartialContent(s.schema())
	places := map[string]int{}
	for _, b := range content.Blocks {
		w.block(at, b, s.named(b.Type), places[b.Type])
		places[b.Type]++
	}
	attributes, _ := rest.JustAttributes()
	for name, a := range attributes {
		w.attribute(at.Child(name), a)
	}
}

func (w *hclWalker) block(at model.Path, b *hcl.Block, of *block, place int) {
	path := at.Child(of.name)
	switch {
	case of.form == several:
		path = path.Index(place)
	case of.form == labelled && len(b.Labels) == 1:
		path = path.Key(b.Labels[0])
	}
	if at == model.JobPath {
		path = atTop(path, of, b.Labels)
		if of.name == "task" {
			// Nomad makes a group of its own of a task without one.
			w.positions.add(path, w.header(b))
			path = path.Task(b.Labels[0])
		}
	}
	w.positions.add(path, w.header(b))
	w.body(path, b.Body, of.shape)
}

// atTop leaves out the job where a path is that of a group.
func atTop(path model.Path, of *block, labels []string) model.Path {
	if (of.name == "group" || of.name == "task") && len(labels) == 1 {
		return model.GroupPath(labels[0])
	}
	return path
}

func (w *hclWalker) attribute(at model.Path, a *hcl.Attribute) {
	w.positions.add(at, Position{Range: rangeOf(a.Range), Value: rangeOf(a.Expr.Range())})
	w.inside(at, a.Expr)
}

// inside adds the elements of a list and the entries of a map.
func (w *hclWalker) inside(at model.Path, expr hcl.Expression) {
	for i, element := range w.elements(at, expr) {
		if element == nil {
			continue
		}
		w.positions.add(at.Index(i), Position{Range: rangeOf(element.Range()), Value: rangeOf(element.Range())})
		w.inside(at.Index(i), element)
	}
	pairs, _ := hcl.ExprMap(expr)
	for _, p := range pairs {
		key, ok := literal(p.Key)
		if !ok {
			continue
		}
		whole := hcl.RangeBetween(p.Key.Range(), p.Value.Range())
		w.positions.add(at.Key(key), Position{Range: rangeOf(whole), Value: rangeOf(p.Value.Range())})
		w.inside(at.Key(key), p.Value)
	}
}

// elements are the expressions that a list is written with, nil where that
// cannot be told. In concat() it can before the first argument that is not a
// list in the source and, where the length of the whole is known, after the
// last one; what comes from the only one is that argument.
func (w *hclWalker) elements(at model.Path, expr hcl.Expression) []hcl.Expression {
	if list, diags := hcl.ExprList(expr); !diags.HasErrors() {
		return list
	}
	call, diags := hcl.ExprCall(expr)
	if diags.HasErrors() || call.Name != "concat" {
		return nil
	}
	rest := call.Arguments
	var before, after []hcl.Expression
	for ; len(rest) > 0; rest = rest[1:] {
		list, diags := hcl.ExprList(rest[0])
		if diags.HasErrors() {
			break
		}
		before = append(before, list...)
	}
	length, known := w.lengths[at]
	if !known {
		return before
	}
	for ; len(rest) > 0; rest = rest[:len(rest)-1] {
		list, diags := hcl.ExprList(rest[len(rest)-1])
		if diags.HasErrors() {
			break
		}
		after = append(list, after...)
	}
	between := make([]hcl.Expression, max(0, length-len(before)-len(after)))
	if len(rest) == 1 {
		for i := range between {
			between[i] = rest[0]
		}
	}
	return slices.Concat(before, between, after)
}

// literal is the text of an expression that is just that.
func literal(expr hcl.Expression) (string, bool) {
	v, diags := expr.Value(nil)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.IsMarked() || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), true
}
