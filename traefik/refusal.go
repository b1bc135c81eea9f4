package traefik

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// refusal says that the decoder refuses labels, and which ones it refuses each
// for itself; none of them where it only refuses them taken together.
type refusal struct {
	cause error
	// tags is in the order of the keys.
	tags []refusedTag
}

type refusedTag struct {
	key   string
	label label
	cause error
}

// Error names the first tag that is refused.
func (r refusal) Error() string {
	if len(r.tags) == 0 {
		return "the tags taken together: " + oneLine(r.cause)
	}
	return r.tags[0].Error()
}

func (t refusedTag) Error() string { return fmt.Sprintf("tag %q: %s", t.label.tag, oneLine(t.cause)) }

// refuse is the reading of an instance that Traefik gives up.
func refuse(err error) model.TagReading {
	out := model.TagReading{Err: err.Error()}
	var r refusal
	if errors.As(err, &r) {
		for _, t := range r.tags {
			out.Problems = append(out.Problems, t.problem())
		}
		sortProblems(out.Problems)
	}
	return out
}

func sortProblems(problems []model.TagProblem) {
	slices.SortFunc(problems, func(a, b model.TagProblem) int { return cmp.Compare(a.Index, b.Index) })
}

func (t refusedTag) problem() model.TagProblem {
	out := model.TagProblem{
		Index:   t.label.index,
		Tag:     t.label.tag,
		Message: oneLine(t.cause),
		Freezes: errors.Is(t.cause, errFreezes),
	}
	if unknownField(out.Message) {
		out.Since = since(t.key)
		out.Near, out.OneNear = nearest(t.key)
	}
	return out
}

// unknownField recognizes what the decoder says of a key that it does not
// know; it has no type for it.
func unknownField(message string) bool { return strings.HasPrefix(message, "field not found") }
