package jobspecs

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

const (
	// freeSize is the size in bytes below which no source can be nested so
	// deeply that HCL's parser, which calls itself at each level, runs out of
	// stack. A Go program does not survive that.
	freeSize = 64 << 10
	// maxDepth is how many brackets, operators and template directives may be
	// open in one place of a larger source.
	maxDepth = 5000
	// maxHCLJSON is the size in bytes of the largest source in HCL's JSON
	// form: each of its strings is a template with a depth of its own.
	maxHCLJSON = 128 << 10
)

// tooDeep refuses what would exhaust the stack. JSON that Go's decoder takes
// is no deeper than that allows (encoding/json, 10000 levels); HCL's parser
// goes on past mistakes, so that it must not see a large source with any.
func tooDeep(src Source, syntax Syntax) Diagnostics {
	if len(src.Content) <= freeSize {
		return nil
	}
	switch {
	case syntax == HCL:
		tokens, _ := hclsyntax.LexConfig(src.Content, src.Name, hcl.InitialPos)
		if at := deepest(tokens); at != nil {
			return Diagnostics{{Range: rangeOf(*at), Summary: "Nested too deeply", Detail: "No expression may be this deep."}}
		}
	case syntax == HCLJSON && len(src.Content) > maxHCLJSON:
		return problem(src.Name, "Too large", "HCL in its JSON form is read up to %d KiB.", maxHCLJSON>>10)
	default:
		var mistake *json.SyntaxError
		if err := json.Unmarshal(src.Content, new(json.RawMessage)); errors.As(err, &mistake) {
			at := placeOf(src.Content, int(mistake.Offset))
			return Diagnostics{{Range: Range{File: src.Name, Start: at, End: at}, Summary: "Invalid JSON", Detail: mistake.Error()}}
		}
	}
	return nil
}

// placeOf is the place of a byte, its column in code points.
func placeOf(content []byte, offset int) Pos {
	before := content[:min(offset, len(content))]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return Pos{Line: 1 + bytes.Count(before, []byte("\n")), Column: 1 + utf8.RuneCount(line), Byte: len(before)}
}

// level is one open bracket: how many operators and brackets were met in it
// since the expression in it began.
type level struct {
	lines bool
	count int
}

// deepest returns where the tokens first get deeper than maxDepth, or nil. Each
// bracket counts for itself; its count starts anew with the next element, and
// in braces with the next line.
func deepest(tokens hclsyntax.Tokens) *hcl.Range {
	open := []level{{lines: true}}
	depth := 0
	for _, t := range tokens {
		top := &open[len(open)-1]
		switch kindOfToken(t.Type) {
		case opens:
			top.count++
			depth++
			open = append(open, level{lines: t.Type == hclsyntax.TokenOBrace})
		case closes:
			if len(open) > 1 {
				depth -= top.count
				open = open[:len(open)-1]
			}
		case operator:
			top.count++
			depth++
		case ends:
			if t.Type == hclsyntax.TokenComma || top.lines {
				depth -= top.count
				top.count = 0
			}
		case plain:
		}
		if depth > maxDepth {
			return t.Range.Ptr()
		}
	}
	return nil
}

// tokenKind is what a token does to the depth.
type tokenKind int

const (
	plain tokenKind = iota
	opens
	closes
	operator
	ends
)

func kindOfToken(t hclsyntax.TokenType) tokenKind {
	switch t {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return opens
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
		return closes
	case hclsyntax.TokenNewline, hclsyntax.TokenComma:
		return ends
	case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenStringLit, hclsyntax.TokenQuotedLit, hclsyntax.TokenComment,
		hclsyntax.TokenEOF, hclsyntax.TokenOQuote, hclsyntax.TokenCQuote, hclsyntax.TokenOHeredoc, hclsyntax.TokenCHeredoc:
		return plain
	default:
		return operator
	}
}
