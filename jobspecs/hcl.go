package jobspecs

import (
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/hashicorp/nomad/jobspec2"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/jobspecs/convert"
)

// config is what Nomad's parser is asked, for the source or for another text
// in its place.
func (o Options) config(name string, body []byte) *jobspec2.ParseConfig {
	return &jobspec2.ParseConfig{
		Path:       name,
		BaseDir:    o.baseDir(),
		Body:       body,
		AllowFS:    !o.NoFiles,
		ArgVars:    o.Vars,
		VarFiles:   o.VarFiles,
		VarContent: o.varContent,
		Envs:       envLines(o.Env),
		Strict:     !o.AllowUndeclared,
	}
}

// readHCL fills Spec, Job and positions.
func (f *File) readHCL(o Options) Diagnostics {
	problems := append(o.checkVars(), o.checkVarFiles()...)
	if len(problems) > 0 {
		return append(problems, f.syntax()...)
	}
	spec, err := jobspec2.ParseWithConfig(o.config(f.Name, f.Content))
	if err != nil {
		return f.refused(err)
	}
	f.Spec, f.Job = spec, *convert.Job(spec)
	f.positions = sync.OnceValue(func() positions {
		body, _ := f.parseBody()
		return f.hclPositions(o, body)
	})
	return nil
}

// refused says what is wrong with a source that Nomad's parser did not take:
// mistakes of syntax, of which the parser does not name all, or else its error.
func (f *File) refused(err error) Diagnostics {
	body, diags := f.parseBody()
	if problems := fromHCL(f.Name, diags); len(problems) > 0 {
		return problems
	}
	return atVariables(fromParser(f.Name, err), body)
}

func (f *File) syntax() Diagnostics {
	_, diags := f.parseBody()
	return fromHCL(f.Name, diags)
}

// atVariables gives what the parser says of a variable without a value, which
// names no place, that of the variable.
func atVariables(problems Diagnostics, body hcl.Body) Diagnostics {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return problems
	}
	for i, p := range problems {
		name, is := strings.CutPrefix(p.Summary, "Unset variable ")
		for _, b := range native.Blocks {
			if is && !p.Range.Known() && b.Type == "variable" && len(b.Labels) == 1 && strconv.Quote(b.Labels[0]) == name {
				problems[i].Range = rangeOf(b.DefRange())
			}
		}
	}
	return problems
}

func (f *File) hclPositions(o Options, body hcl.Body) positions {
	w := hclWalker{positions: positions{}, lengths: tagLengths(f.Job)}
	if native, ok := body.(*hclsyntax.Body); ok {
		w.blocks = blocksByStart(native)
		if w.dynamic = hasDynamic(w.blocks); w.dynamic {
			w.ctx = o.evalContext(f, native)
		}
	}
	w.file(body)
	return w.positions
}

// tagLengths says how many tags each service has in the end.
func tagLengths(j model.Job) map[model.Path]int {
	out := map[model.Path]int{}
	add := func(at model.Path, services []model.Service) {
		for i, s := range services {
			out[at.Service(i).Child("tags")] = len(s.Tags)
			out[at.Service(i).Child("canary_tags")] = len(s.CanaryTags)
		}
	}
	for _, g := range j.Groups {
		add(model.GroupPath(g.Name), g.Services)
		for _, t := range g.Tasks {
			add(model.GroupPath(g.Name).Task(t.Name), t.Services)
		}
	}
	return out
}

func (f *File) parseBody() (hcl.Body, hcl.Diagnostics) {
	var file *hcl.File
	var diags hcl.Diagnostics
	if f.Syntax == HCLJSON {
		file, diags = hcljson.Parse(f.Content, f.Name)
	} else {
		file, diags = hclsyntax.ParseConfig(f.Content, f.Name, hcl.InitialPos)
	}
	return file.Body, diags
}

// checkVarFiles parses the files of variables for their own mistakes, of which
// Nomad's parser names the first only.
func (o Options) checkVarFiles() Diagnostics {
	var out Diagnostics
	for _, name := range o.VarFiles {
		content, err := os.ReadFile(name)
		if err != nil {
			out = append(out, problem(name, "Cannot read file of variables", "%v", err)...)
			continue
		}
		out = append(out, checkVarFile(name, content)...)
	}
	return out
}

func checkVarFile(name string, content []byte) Diagnostics {
	syntax := HCL
	if startsWithBrace(content) {
		syntax = HCLJSON
	}
	if problems := tooDeep(Source{Name: name, Content: content}, syntax); problems != nil {
		return problems
	}
	var diags hcl.Diagnostics
	if syntax == HCL {
		_, diags = hclsyntax.ParseConfig(content, name, hcl.InitialPos)
	} else {
		_, diags = hcljson.Parse(content, name)
	}
	return fromHCL(name, diags)
}

// blocksByStart has every block in the body, at any depth, by the byte at
// which it starts: what HCL's own blocks lack of a position is found by it.
func blocksByStart(body *hclsyntax.Body) map[int]*hclsyntax.Block {
	out := map[int]*hclsyntax.Block{}
	var visit func(*hclsyntax.Body)
	visit = func(b *hclsyntax.Body) {
		for _, block := range b.Blocks {
			out[block.TypeRange.Start.Byte] = block
			visit(block.Body)
		}
	}
	visit(body)
	return out
}

func hasDynamic(blocks map[int]*hclsyntax.Block) bool {
	for _, b := range blocks {
		if b.Type == "dynamic" {
			return true
		}
	}
	return false
}

// expand makes the dynamic blocks in a job's body ordinary ones, as Nomad's
// parser does.
func (w *hclWalker) expand(body hcl.Body) hcl.Body {
	if !w.dynamic || w.ctx == nil {
		return body
	}
	return dynblock.Expand(body, w.ctx)
}
