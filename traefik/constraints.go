package traefik

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
)

// matchConstraints evaluates an expression over tags: Tag(`x`) and
// TagRegex(`x`), joined by !, &&, || and parentheses. No expression matches
// everything, and a pattern that does not compile matches nothing
// (pkg/provider/constraints/constraints_tags.go, v3.6.12).
func matchConstraints(expr string, tags []string) (bool, error) {
	if expr == "" {
		return true, nil
	}
	root, err := parser.ParseExpr(expr)
	if err != nil {
		return false, err
	}
	return evaluate(root, tags)
}

// evaluate looks at both sides of an operator whatever the left one says, so
// that an expression is an error or not independently of the tags.
func evaluate(e ast.Expr, tags []string) (bool, error) {
	switch n := e.(type) {
	case *ast.ParenExpr:
		return evaluate(n.X, tags)
	case *ast.UnaryExpr:
		if n.Op != token.NOT {
			return false, fmt.Errorf("operator %s is not supported", n.Op)
		}
		x, err := evaluate(n.X, tags)
		return !x, err
	case *ast.BinaryExpr:
		return evaluateBinary(n, tags)
	case *ast.CallExpr:
		return evaluateCall(n, tags)
	default:
		return false, fmt.Errorf("only Tag(`x`) and TagRegex(`x`) are supported, joined by !, && and ||")
	}
}

func evaluateBinary(n *ast.BinaryExpr, tags []string) (bool, error) {
	x, err := evaluate(n.X, tags)
	if err != nil {
		return false, err
	}
	y, err := evaluate(n.Y, tags)
	if err != nil {
		return false, err
	}
	switch n.Op {
	case token.LAND:
		return x && y, nil
	case token.LOR:
		return x || y, nil
	default:
		return false, fmt.Errorf("operator %s is not supported", n.Op)
	}
}

func evaluateCall(n *ast.CallExpr, tags []string) (bool, error) {
	fn, ok := n.Fun.(*ast.Ident)
	if !ok || len(n.Args) != 1 || n.Ellipsis.IsValid() {
		return false, fmt.Errorf("only Tag(`x`) and TagRegex(`x`) are supported")
	}
	lit, ok := n.Args[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return false, fmt.Errorf("%s takes one string", fn.Name)
	}
	arg, err := strconv.Unquote(lit.Value)
	if err != nil {
		return false, fmt.Errorf("%s(%s): %w", fn.Name, lit.Value, err)
	}
	switch fn.Name {
	case "Tag":
		return slices.Contains(tags, arg), nil
	case "TagRegex":
		return anyMatch(arg, tags), nil
	default:
		return false, fmt.Errorf("function %s is not supported", fn.Name)
	}
}

func anyMatch(pattern string, tags []string) bool {
	re, err := regexp.Compile(pattern)
	return err == nil && slices.ContainsFunc(tags, re.MatchString)
}
