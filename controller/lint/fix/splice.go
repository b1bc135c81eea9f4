package fix

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

// splice puts a text in the place of the bytes from start to end.
type splice struct {
	start, end int
	text       string
}

// changes are splices that go together.
type changes struct {
	splices []splice
	// values are what each path is set to, or renamed to.
	values map[model.Path]any
}

// add takes the splices of one fix, or none of them where one contradicts what
// is there already. The same change twice is one.
func (c *changes) add(edits []rule.Edit, splices []splice) bool {
	var fresh []int
	for i, e := range edits {
		value := any(e)
		if old, there := c.values[e.Path]; there {
			if old != value {
				return false
			}
			continue
		}
		if slices.ContainsFunc(c.splices, splices[i].overlaps) {
			return false
		}
		fresh = append(fresh, i)
	}
	for _, i := range fresh {
		c.values[edits[i].Path] = any(edits[i])
		c.splices = append(c.splices, splices[i])
	}
	return true
}

// overlaps reports whether two splices change the same bytes. Two that put
// something in at one place do not.
func (s splice) overlaps(other splice) bool {
	return s.start < other.end && other.start < s.end
}

// rewrite applies splices that do not overlap. A text that was in the layout of
// `nomad fmt` is brought back into it, since a new line may make those around
// it stand elsewhere; any other is left as it is.
func rewrite(content []byte, splices []splice) []byte {
	formatted := bytes.Equal(content, hclwrite.Format(content))
	sorted := slices.Clone(splices)
	slices.SortStableFunc(sorted, func(a, b splice) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	var out bytes.Buffer
	at := 0
	for _, s := range sorted {
		out.Write(content[at:s.start])
		out.WriteString(s.text)
		at = s.end
	}
	out.Write(content[at:])
	if formatted {
		return hclwrite.Format(out.Bytes())
	}
	return out.Bytes()
}
