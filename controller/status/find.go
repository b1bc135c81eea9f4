package status

import (
	"errors"
	"fmt"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// MinPrefix is the shortest part of a deployment ID that finds it.
const MinPrefix = 4

// What can go wrong when a deployment is looked up.
var (
	ErrPrefixTooShort = fmt.Errorf("give the full ID of a deployment or at least its first %d characters", MinPrefix)
	ErrNotFound       = errors.New("no such deployment")
	ErrAmbiguous      = errors.New("more than one deployment has this prefix")
)

// Find returns the record whose deployment ID is id or, if there is none, the
// only one whose ID begins with it.
func Find(records []model.Record, id string) (model.Record, error) {
	var found []model.Record
	for _, r := range records {
		if r.Key.Deployment == id && id != "" {
			return r, nil
		}
		if strings.HasPrefix(r.Key.Deployment, id) {
			found = append(found, r)
		}
	}
	switch {
	case len(id) < MinPrefix:
		return model.Record{}, ErrPrefixTooShort
	case len(found) == 0:
		return model.Record{}, ErrNotFound
	case len(found) > 1:
		return model.Record{}, ErrAmbiguous
	default:
		return found[0], nil
	}
}
