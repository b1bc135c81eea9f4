package jobspecs

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	hcljson "github.com/hashicorp/hcl/v2/json"
	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/jobspecs/convert"
)

// syntaxOf says how a source is written. An object is a job of the API unless
// its key job, in lower case, holds what a job block has: an object whose keys
// are the names of jobs.
func syntaxOf(content []byte) Syntax {
	if !startsWithBrace(content) {
		return HCL
	}
	var top map[string]json.RawMessage
	if json.Unmarshal(content, &top) != nil {
		return JSON
	}
	if top["job"] == nil {
		return JSON
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(top["job"], &inner) != nil {
		return HCLJSON
	}
	for key := range inner {
		if strings.EqualFold(key, "TaskGroups") || strings.EqualFold(key, "ID") {
			return JSON
		}
	}
	return HCLJSON
}

// readJSON fills Spec, Job and positions.
func (f *File) readJSON(Options) Diagnostics {
	var wrapped struct {
		NestedJob *nomadapi.Job `json:"Job"`
		nomadapi.Job
	}
	tree, diags := hcljson.ParseExpression(f.Content, f.Name)
	if problems := fromHCL(f.Name, diags); len(problems) > 0 {
		return problems
	}
	at := positions{}
	f.positions = func() positions { return at }
	walker := jsonWalker{positions: at}
	walker.file(tree)
	if err := json.Unmarshal(f.Content, &wrapped); err != nil {
		return walker.mistakes(f, &wrapped, err)
	}
	f.Spec = &wrapped.Job
	if wrapped.NestedJob != nil {
		f.Spec = wrapped.NestedJob
	}
	if f.Spec.ID == nil && f.Spec.Name == nil && len(f.Spec.TaskGroups) == 0 {
		return problem(f.Name, "Missing job", "The object has neither an ID nor task groups, bare or under a key Job.")
	}
	f.Job = *convert.Job(f.Spec)
	return nil
}

// maxMistakes bounds how often a source with mistakes is decoded again.
const maxMistakes = 20

// mistakes names all values of a wrong type. The decoder names one at a time,
// so each is made null in its turn.
func (w *jsonWalker) mistakes(f *File, into any, err error) Diagnostics {
	var out Diagnostics
	content := append([]byte(nil), f.Content...)
	for range maxMistakes {
		var wrong *json.UnmarshalTypeError
		if !errors.As(err, &wrong) {
			break
		}
		at := w.valueAt(int(wrong.Offset))
		out = append(out, Diagnostic{
			Range:   at,
			Summary: "Unsuitable value type",
			Detail:  fmt.Sprintf("%s must be %s and not %s.", strings.TrimPrefix(wrong.Field, "Job."), kindOf(wrong.Type), wrong.Value),
		})
		if !blank(content, at) {
			break
		}
		if err = json.Unmarshal(content, into); err == nil {
			return out
		}
	}
	if len(out) == 0 {
		return problem(f.Name, "Not a job", "%v", err)
	}
	return out
}

// blank overwrites a value with null, and reports whether there is room.
func blank(content []byte, at Range) bool {
	const null = "null"
	from, to := at.Start.Byte, at.End.Byte
	if !at.Known() || to-from < len(null) {
		return false
	}
	copy(content[from:], null+strings.Repeat(" ", to-from-len(null)))
	return true
}

func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	default:
		if t == reflect.TypeFor[time.Duration]() {
			return "a number of nanoseconds"
		}
		return "a number"
	}
}
