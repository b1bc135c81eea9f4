package fix

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/jobspecs"
)

// insert writes a new attribute into a block: after those that stand before
// its first block, with their indentation.
func (t *text) insert(e rule.Edit, at jobspecs.Position) (splice, string) {
	block := t.blocks[at.Value.Start.Byte]
	if block == nil || block.Type != typeOf(e.Path.Parent()) {
		return splice{}, fmt.Sprintf("there is no %s block to write %s into", typeOf(e.Path.Parent()), e.Path.Name())
	}
	line := e.Path.Name() + " = " + literal(e.Value)
	anchor := lastBeforeBlocks(block.Body)
	from := block.OpenBraceRange.End.Byte
	if anchor != nil {
		from = anchor.SrcRange.End.Byte
	}
	end, newline := t.endOfLine(from)
	if end < 0 {
		return t.spread(block, line), ""
	}
	return splice{end, end, t.indentation(block, anchor) + line + newline}, ""
}

// typeOf is the type of the block that a path names.
func typeOf(p model.Path) string {
	switch {
	case !strings.HasSuffix(string(p), "]"):
		return p.Name()
	case p.Parent() == model.JobPath:
		return "group"
	default:
		return p.Parent().Name()
	}
}

// lastBeforeBlocks is the last attribute that stands before the first block of
// a body, nil where there is none. Heredocs do not count: what ends them must
// have its line to itself.
func lastBeforeBlocks(body *hclsyntax.Body) *hclsyntax.Attribute {
	first := body.SrcRange.End.Byte
	for _, b := range body.Blocks {
		first = min(first, b.TypeRange.Start.Byte)
	}
	var last *hclsyntax.Attribute
	for _, a := range body.Attributes {
		before := a.SrcRange.Start.Byte < first
		if before && !isHeredoc(a) && (last == nil || a.SrcRange.Start.Byte > last.SrcRange.Start.Byte) {
			last = a
		}
	}
	return last
}

// isHeredoc reports whether the value may be one, or have one in it.
func isHeredoc(a *hclsyntax.Attribute) bool {
	return a.SrcRange.Start.Line != a.SrcRange.End.Line
}

// endOfLine is the place after the line that goes on at an offset, and how the
// line ends; -1 where more than a comment follows on it.
func (t *text) endOfLine(offset int) (int, string) {
	first, _ := slices.BinarySearchFunc(t.tokens, offset, func(token hclsyntax.Token, at int) int { return cmp.Compare(token.Range.Start.Byte, at) })
	for _, token := range t.tokens[first:] {
		text, ends := bytes.CutSuffix(token.Bytes, []byte("\n"))
		switch {
		case token.Type != hclsyntax.TokenNewline && token.Type != hclsyntax.TokenComment:
			return -1, ""
		case ends && bytes.HasSuffix(text, []byte("\r")):
			return token.Range.End.Byte, "\r\n"
		case ends:
			return token.Range.End.Byte, "\n"
		}
	}
	return -1, ""
}

// spread puts a block on several lines that was written on one.
func (t *text) spread(b *hclsyntax.Block, line string) splice {
	start, end := b.OpenBraceRange.End.Byte, b.CloseBraceRange.Start.Byte
	newline := "\n"
	if bytes.Contains(t.file.Content, []byte("\r\n")) {
		newline = "\r\n"
	}
	inner := t.indentation(b, nil)
	out := newline
	if was := strings.TrimSpace(string(t.file.Content[start:end])); was != "" {
		out += inner + was + newline
	}
	return splice{start, end, out + inner + line + newline + t.indentAt(b.TypeRange)}
}

// indentation is that of an attribute of the block: like the one given, like
// its first block, or one level more than the block itself.
func (t *text) indentation(b *hclsyntax.Block, like *hclsyntax.Attribute) string {
	header := t.indentAt(b.TypeRange)
	switch {
	case like != nil && like.SrcRange.Start.Line > b.TypeRange.Start.Line:
		return t.indentAt(like.SrcRange)
	case len(b.Body.Blocks) > 0 && b.Body.Blocks[0].TypeRange.Start.Line > b.TypeRange.Start.Line:
		return t.indentAt(b.Body.Blocks[0].TypeRange)
	case strings.HasPrefix(header, "\t"):
		return header + "\t"
	default:
		return header + "  "
	}
}

// indentAt is the white space that the line of a range begins with.
func (t *text) indentAt(r hcl.Range) string {
	start := bytes.LastIndexByte(t.file.Content[:r.Start.Byte], '\n') + 1
	line := string(t.file.Content[start:r.Start.Byte])
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}
