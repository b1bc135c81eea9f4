package traefik

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"text/template/parse"
	"unicode/utf8"

	"github.com/draingate/draingate/controller/model"
)

// unrendered stands for what only Nomad can render: a character for private
// use, which YAML and TOML take and nobody writes.
const unrendered = "\uE000"

// rendering is the text of a template with its actions left out.
type rendering struct {
	text string
	// source has for each line of text, from 0, the line of the template, from
	// 1, that it begins in.
	source []int
	// unsure has the lines, from 0, that are there or not, or more than once,
	// and without is the text without the bodies that made them so.
	unsure  map[int]bool
	without string
}

// render renders a template as far as that can be done without Nomad: an
// action whose outcome is not known leaves a character that stands for it, and
// the body of a condition or a loop is rendered once and its lines are marked.
// The error says what cannot be rendered in this way.
func render(t model.Template, toml bool) (rendering, error) {
	if strings.Contains(t.Data, unrendered) {
		return rendering{}, errors.New("it has a character for private use in it")
	}
	tree := parse.New("template")
	tree.Mode = parse.SkipFuncCheck
	tree, err := tree.Parse(t.Data, cmp.Or(t.LeftDelim, "{{"), cmp.Or(t.RightDelim, "}}"), map[string]*parse.Tree{})
	if err != nil {
		return rendering{}, fmt.Errorf("it is no template: %s", oneLine(err))
	}
	r := renderer{data: t.Data, toml: toml, unsure: map[int]bool{}}
	if err := r.list(tree.Root, false); err != nil {
		return rendering{}, err
	}
	return rendering{text: r.out.String(), source: r.lines(), unsure: r.unsure, without: r.sure.String()}, nil
}

type renderer struct {
	data string
	toml bool
	// out is the text, sure that without what may not be there.
	out, sure strings.Builder
	// offsets are those in the template of the starts of the lines of out that
	// come from text; 0 where the line begins with an action.
	offsets []int
	unsure  map[int]bool
}

func (r *renderer) list(l *parse.ListNode, unsure bool) error {
	if l == nil {
		return nil
	}
	for _, n := range l.Nodes {
		if err := r.node(n, unsure); err != nil {
			return err
		}
	}
	return nil
}

func (r *renderer) node(n parse.Node, unsure bool) error {
	switch n := n.(type) {
	case *parse.TextNode:
		r.write(string(n.Text), int(n.Pos), unsure)
	case *parse.ActionNode:
		r.action(n, unsure)
	case *parse.IfNode:
		return r.branch(&n.BranchNode)
	case *parse.RangeNode:
		return r.branch(&n.BranchNode)
	case *parse.WithNode:
		return r.branch(&n.BranchNode)
	case *parse.CommentNode, *parse.BreakNode, *parse.ContinueNode:
	default:
		return fmt.Errorf("%s is more than is understood here", shorten(n.String()))
	}
	return nil
}

// action writes what stands for an outcome. Setting a variable has none, and
// that of a text alone is the text: so people write braces.
func (r *renderer) action(n *parse.ActionNode, unsure bool) {
	if len(n.Pipe.Decl) > 0 {
		return
	}
	if len(n.Pipe.Cmds) == 1 && len(n.Pipe.Cmds[0].Args) == 1 {
		if text, ok := n.Pipe.Cmds[0].Args[0].(*parse.StringNode); ok {
			r.write(text.Text, int(n.Pos), unsure)
			return
		}
	}
	r.write(r.unknown(), int(n.Pos), unsure)
}

// unknown is in quotes where TOML has no value without them.
func (r *renderer) unknown() string {
	text := r.out.String()
	line := text[strings.LastIndex(text, "\n")+1:]
	if r.toml && strings.Count(line, `"`)%2 == 0 && strings.Count(line, "'")%2 == 0 {
		return `"` + unrendered + `"`
	}
	return unrendered
}

// branch renders what stands within one line as one outcome, and else what
// comes first. What is written for the other case must then have nothing to do
// with the settings in question.
func (r *renderer) branch(n *parse.BranchNode) error {
	body, other := n.List.String(), ""
	if n.ElseList != nil {
		other = n.ElseList.String()
	}
	if !strings.Contains(body+other, "\n") {
		if body+other != "" {
			outcome := r.unknown()
			r.write(outcome, int(n.Pos), true)
			r.sure.WriteString(outcome)
		}
		return nil
	}
	if other != "" && (mentionsCatalog(other) || strings.Contains(other, "{{")) {
		return errors.New("what follows an else in it may be settings of the Consul catalog provider")
	}
	return r.list(n.List, true)
}

// mentionsCatalog looks for the names of settings and of the sections that they
// stand in.
func mentionsCatalog(text string) bool {
	text = strings.ToLower(text)
	for _, word := range []string{
		"provider", "throttle", "consulcatalog", "refreshinterval", "watch", "stale", "cache", "strictchecks", "passing", "warning", "any",
		"exposedbydefault", "prefix", "constraints", "connect", "namespaces",
	} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

func (r *renderer) write(text string, offset int, unsure bool) {
	if !unsure {
		r.sure.WriteString(text)
	}
	for i, line := range strings.SplitAfter(text, "\n") {
		if line == "" {
			continue
		}
		if r.out.Len() == 0 || strings.HasSuffix(r.out.String(), "\n") {
			r.offsets = append(r.offsets, min(offset, len(r.data)))
		}
		if unsure && (strings.TrimSpace(line) != "" || i > 0) {
			r.unsure[len(r.offsets)-1] = true
		}
		r.out.WriteString(line)
		offset += len(line)
	}
}

func (r *renderer) lines() []int {
	var out []int
	for _, offset := range r.offsets {
		out = append(out, 1+strings.Count(r.data[:offset], "\n"))
	}
	return out
}

// place is where in the template a stretch of the text stands: exactly that
// where its line was written as it is, and else the whole line.
func (r rendering) place(s Span, data string) Span {
	if s.Line < 1 || s.Line > len(r.source) {
		return Span{}
	}
	line := r.source[s.Line-1]
	written := strings.Split(data, "\n")[line-1]
	if written == strings.Split(r.text, "\n")[s.Line-1] {
		return Span{line, s.From, s.To}
	}
	before := len(written) - len(strings.TrimLeft(written, " \t"))
	return Span{line, before + 1, utf8.RuneCountInString(strings.TrimRight(written, " \t\r")) + 1}
}

// shorten keeps an action that is quoted in a message short.
func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) > 60 {
		return string([]rune(text)[:57]) + "..."
	}
	return text
}
