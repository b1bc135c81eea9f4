package jobspecs

import (
	"bytes"
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/nomad/jobspec2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// evalContext is what expressions in the source are evaluated with, for the
// positions of what dynamic blocks make. Nomad's parser does not show its own,
// so it is asked for the values of the variables with a job that has nothing
// else in it. The result is nil where that fails; dynamic blocks then have no
// position of their own.
func (o Options) evalContext(f *File, body *hclsyntax.Body) *hcl.EvalContext {
	variables, ok := o.variables(f, body)
	if !ok {
		return nil
	}
	ctx := &hcl.EvalContext{
		Functions: jobspec2.Functions(o.baseDir(), !o.NoFiles),
		Variables: map[string]cty.Value{"var": cty.ObjectVal(variables), "local": cty.EmptyObjectVal},
		UndefinedVariable: func(t hcl.Traversal) (cty.Value, hcl.Diagnostics) {
			r := t.SourceRange()
			return cty.StringVal("${" + string(r.SliceBytes(f.Content)) + "}"), nil
		},
	}
	addLocals(ctx, body)
	return ctx
}

func (o Options) variables(f *File, body *hclsyntax.Body) (map[string]cty.Value, bool) {
	spec, err := jobspec2.ParseWithConfig(o.config(f.Name, onlyVariables(f.Content, body)))
	if err != nil || spec.Meta["var"] == "" {
		return nil, false
	}
	text := []byte(spec.Meta["var"])
	as, err := ctyjson.ImpliedType(text)
	if err != nil {
		return nil, false
	}
	all, err := ctyjson.Unmarshal(text, as)
	if err != nil || !as.IsObjectType() {
		return nil, false
	}
	values := map[string]cty.Value{}
	maps.Copy(values, all.AsValueMap())
	for name, t := range declaredTypes(body) {
		v, there := values[name]
		if !there {
			continue
		}
		if typed, err := convert.Convert(v, t); err == nil {
			values[name] = typed
		}
	}
	return values, true
}

// onlyVariables is a job whose meta says what the variables of the source are.
func onlyVariables(content []byte, body *hclsyntax.Body) []byte {
	var out bytes.Buffer
	for _, b := range body.Blocks {
		if b.Type == "variable" || b.Type == "variables" {
			out.Write(b.Range().SliceBytes(content))
			out.WriteByte('\n')
		}
	}
	out.WriteString(`job "variables" { meta = { var = jsonencode(var) } }`)
	return out.Bytes()
}

// declaredTypes are the types that the source gives its variables: a set comes
// out of JSON as a list, and has other keys in for_each.
func declaredTypes(body *hclsyntax.Body) map[string]cty.Type {
	out := map[string]cty.Type{}
	for _, b := range body.Blocks {
		if b.Type != "variable" || len(b.Labels) != 1 || b.Body.Attributes["type"] == nil {
			continue
		}
		if t, diags := typeexpr.TypeConstraint(b.Body.Attributes["type"].Expr); !diags.HasErrors() {
			out[b.Labels[0]] = t
		}
	}
	return out
}

// addLocals evaluates locals, each as soon as those it refers to are there.
func addLocals(ctx *hcl.EvalContext, body *hclsyntax.Body) {
	todo := map[string]hcl.Expression{}
	for _, b := range body.Blocks {
		for name, attr := range b.Body.Attributes {
			if b.Type == "locals" {
				todo[name] = attr.Expr
			}
		}
	}
	done := map[string]cty.Value{}
	for progress := true; progress; {
		progress = false
		for name, expr := range todo {
			if v, diags := expr.Value(ctx); !diags.HasErrors() {
				done[name], progress = v, true
				delete(todo, name)
				ctx.Variables["local"] = cty.ObjectVal(done)
			}
		}
	}
}
