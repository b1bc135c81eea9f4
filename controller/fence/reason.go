package fence

import (
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// reasonPrefix begins the reason of each maintenance that draingate sets.
const reasonPrefix = "draingate/"

// Reason is the reason of the maintenance that a deployment's fence sets:
// draingate/DEPLOYMENT, and of which election where that is not the usual one, since
// the instances of one must not lift what those of another have set.
func (k Keys) Reason(deployment string) string {
	return reasonPrefix + deployment + model.OfElection(k.leaderKey())
}

func (k Keys) leaderKey() string {
	if k.Prefix == "" {
		return model.DefaultLeaderKey
	}
	return strings.Trim(k.Prefix, "/")
}

// Ours returns the deployment whose fence set a maintenance with the reason, and
// false for a maintenance that someone else set, another election included.
func (k Keys) Ours(reason string) (deployment string, ours bool) {
	deployment, ours = Deployment(reason)
	return deployment, ours && k.Reason(deployment) == reason
}

// Deployment returns the deployment for which an instance of any election set a
// maintenance with the reason, and false where none did.
func Deployment(reason string) (deployment string, ours bool) {
	deployment, ours = strings.CutPrefix(reason, reasonPrefix)
	deployment = model.OfAnyElection(deployment)
	return deployment, ours && deployment != ""
}
