package jobspecs

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/draingate/draingate/controller/model"
)

// jsonWalker collects the positions of a job in the JSON of Nomad's API. It
// reads JSON with HCL's parser, since that keeps the place of every value.
type jsonWalker struct {
	positions positions
	// values are the ranges of all values, in the order in which they were met.
	values []Range
}

// file finds the job: the whole, or what is under the key Job.
func (w *jsonWalker) file(job hcl.Expression) {
	pairs, _ := hcl.ExprMap(job)
	for _, p := range pairs {
		if name, ok := literal(p.Key); ok && strings.EqualFold(name, "Job") && !isNull(p.Value) {
			w.remember(p.Value)
			job = p.Value
		}
	}
	_, header := w.named(job, &block{key: "ID"})
	w.positions.add(model.JobPath, Position{Range: rangeOf(header), Value: rangeOf(job.Range())})
	w.object(model.JobPath, job, jobShape())
}

// object walks the properties of an object that is a block of the shape.
func (w *jsonWalker) object(at model.Path, expr hcl.Expression, s *shape) {
	pairs, _ := hcl.ExprMap(expr)
	for _, p := range pairs {
		if name, ok := literal(p.Key); ok {
			w.property(at, name, p.Key.Range(), p.Value, s)
		}
	}
}

func (w *jsonWalker) property(at model.Path, name string, key hcl.Range, value hcl.Expression, s *shape) {
	w.remember(value)
	if of := s.inField(name); of != nil && !s.mapping {
		w.blocks(at, of, key, value)
		return
	}
	path := at.Key(name)
	if !s.mapping {
		path = at.Child(s.attribute(name))
	}
	w.positions.add(path, Position{Range: rangeOf(hcl.RangeBetween(key, value.Range())), Value: rangeOf(value.Range())})
	w.inside(path, value)
}

// inside adds the elements of a list and the entries of a map.
func (w *jsonWalker) inside(at model.Path, expr hcl.Expression) {
	list, _ := hcl.ExprList(expr)
	for i, element := range list {
		w.remember(element)
		w.positions.add(at.Index(i), Position{Range: rangeOf(element.Range()), Value: rangeOf(element.Range())})
		w.inside(at.Index(i), element)
	}
	w.object(at, expr, &shape{mapping: true})
}

// blocks walks what a field holds: one block, a list of them, or a map by label.
func (w *jsonWalker) blocks(at model.Path, of *block, key hcl.Range, value hcl.Expression) {
	path := at.Child(of.name)
	if of.form == single {
		w.block(path, key, value, of)
		return
	}
	place := 0
	list, _ := hcl.ExprList(value)
	for _, element := range list {
		w.remember(element)
		if isNull(element) && !of.zeroForNull {
			continue
		}
		name, header := w.named(element, of)
		if of.form == several {
			w.block(path.Index(place), header, element, of)
		} else {
			w.block(labelledPath(path, of, name), header, element, of)
		}
		place++
	}
	pairs, _ := hcl.ExprMap(value)
	for _, p := range pairs {
		if name, ok := literal(p.Key); ok {
			w.remember(p.Value)
			w.block(path.Key(name), p.Key.Range(), p.Value, of)
		}
	}
}

func labelledPath(path model.Path, of *block, name string) model.Path {
	if path == model.JobPath.Child("group") {
		return atTop(path, of, []string{name})
	}
	return path.Key(name)
}

func (w *jsonWalker) block(path model.Path, header hcl.Range, value hcl.Expression, of *block) {
	if isNull(value) && !of.zeroForNull {
		return
	}
	w.positions.add(path, Position{Range: rangeOf(header), Value: rangeOf(value.Range())})
	w.object(path, value, of.shape)
}

// named returns the label of an object, and where it stands: the property with
// it, else the opening brace.
func (w *jsonWalker) named(element hcl.Expression, of *block) (string, hcl.Range) {
	pairs, _ := hcl.ExprMap(element)
	for _, p := range pairs {
		key, ok := literal(p.Key)
		if !ok || !strings.EqualFold(key, "Name") && !strings.EqualFold(key, of.key) {
			continue
		}
		if name, ok := literal(p.Value); ok {
			return name, hcl.RangeBetween(p.Key.Range(), p.Value.Range())
		}
	}
	return "", element.StartRange()
}

func isNull(expr hcl.Expression) bool {
	v, _ := expr.Value(nil)
	return v.IsNull()
}

func (w *jsonWalker) remember(expr hcl.Expression) {
	w.values = append(w.values, rangeOf(expr.Range()))
}

// valueAt is the smallest value that reaches to the offset at which the decoder
// stopped.
func (w *jsonWalker) valueAt(offset int) Range {
	best := Range{}
	for _, v := range w.values {
		inside := v.Start.Byte < offset && offset <= v.End.Byte
		if inside && (!best.Known() || v.End.Byte-v.Start.Byte < best.End.Byte-best.Start.Byte) {
			best = v
		}
	}
	return best
}
