package lint

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/draingate/draingate/jobspecs"
)

// ignoreComment begins a comment that ignores rules, after the characters that
// make it a comment.
const ignoreComment = "draingate:ignore"

// commentIgnores are those in comments. One after something covers its line,
// one on a line of its own the next line with something other than comments.
func commentIgnores(file *jobspecs.File) []ignore {
	if file.Syntax != jobspecs.HCL || !bytes.Contains(file.Content, []byte(ignoreComment)) {
		return nil
	}
	tokens, _ := hclsyntax.LexConfig(file.Content, file.Name, hcl.InitialPos)
	var out []ignore
	last := 0 // the last line that has something other than comments
	for i, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenNewline:
		case hclsyntax.TokenComment:
			line := t.Range.Start.Line
			if last < line {
				line = nextLine(tokens[i:])
			}
			out = append(out, parseComment(t, line)...)
		default:
			last = t.Range.End.Line
		}
	}
	return out
}

// nextLine is the line of the first token that is more than a comment.
func nextLine(tokens hclsyntax.Tokens) int {
	for _, t := range tokens {
		if t.Type != hclsyntax.TokenComment && t.Type != hclsyntax.TokenNewline && t.Type != hclsyntax.TokenEOF {
			return t.Range.Start.Line
		}
	}
	return 0
}

// parseComment reads "draingate:ignore DG101,DG102 reason".
func parseComment(t hclsyntax.Token, line int) []ignore {
	text := strings.Trim(string(t.Bytes), "#/* \t\r\n")
	text, is := strings.CutPrefix(text, ignoreComment)
	if !is || text != "" && !strings.ContainsAny(text[:1], " \t") {
		return nil
	}
	ids, reason, _ := strings.Cut(strings.TrimSpace(text), " ")
	at := commentRange(t)
	var out []ignore
	for id := range strings.SplitSeq(ids, ",") {
		out = append(out, ignore{
			rule: strings.ToUpper(id), reason: strings.TrimSpace(reason), at: at,
			covers: func(f located) bool { return f.Line == line && f.File == at.File },
			how:    "# " + ignoreComment + " " + strings.ToUpper(id) + " why it cannot drop a request here",
		})
	}
	return out
}

// commentRange leaves out the end of the line, which the token has in it.
func commentRange(t hclsyntax.Token) jobspecs.Range {
	r := jobspecs.Range{File: t.Range.Filename, Start: jobspecs.Pos(t.Range.Start), End: jobspecs.Pos(t.Range.End)}
	if text := bytes.TrimRight(t.Bytes, "\r\n"); !bytes.Contains(text, []byte("\n")) && len(text) < len(t.Bytes) {
		r.End = jobspecs.Pos{Line: r.Start.Line, Column: r.Start.Column + len([]rune(string(text))), Byte: r.Start.Byte + len(text)}
	}
	return r
}
