package rule

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Fix is a change of the job specification that removes a finding and that can
// be written without asking: it takes nothing away from how the application
// serves, no deploy loses more requests with it than without, and every value
// in it is known.
type Fix struct {
	// Edits are applied together; none where Not says why there are none.
	Edits []Edit
	// Not says, for a finding of a rule that has fixes, why this one has none:
	// a clause that goes on after "not fixed:". It is empty where there are
	// Edits.
	Not string
}

// Edit gives one thing another value, or one key of meta another name.
type Edit struct {
	// Path is an attribute, which need not be there yet, a key of meta, or an
	// element of a list.
	Path model.Path
	// Value is what it is set to: a string, an int or a bool. It is nil where
	// Rename is not empty.
	Value any
	// Rename is the name that the key gets; the value stays.
	Rename string
}

// Remedy is the edits as lines that can be pasted. A rename has none of its
// own, since the line has the value too.
func (f *Fix) Remedy() string {
	var lines []string
	for _, e := range f.Edits {
		switch name := e.Path.Name(); {
		case e.Rename != "":
		case name == "":
			lines = append(lines, e.literal())
		default:
			lines = append(lines, name+" = "+e.literal())
		}
	}
	return strings.Join(lines, "\n")
}

func (e Edit) literal() string {
	if s, ok := e.Value.(string); ok {
		return strconv.Quote(s)
	}
	return fmt.Sprint(e.Value)
}

// fixed is the finding with a fix that sets one thing, and with the line that
// does so as its remedy.
func (f Finding) fixed(path model.Path, value any) Finding {
	if d, ok := value.(time.Duration); ok {
		value = figure(d)
	}
	f.Fix = &Fix{Edits: []Edit{{Path: path, Value: value}}}
	f.Remedy = f.Fix.Remedy()
	return f
}

// notFixed is the finding with the reason why its remedy is left to people.
func (f Finding) notFixed(why string) Finding {
	f.Fix = &Fix{Not: why}
	return f
}
