package fence

import "strings"

// DefaultLeaderKey is the key of the leader's lock whose fences need no word about
// it in the reasons of their maintenances.
const DefaultLeaderKey = "draingate/leader"

// reasonPrefix begins the reason of each maintenance that draingate sets; ofKey
// is between the deployment and the key of the leader's lock.
const (
	reasonPrefix = "draingate/"
	ofKey        = "@"
)

// Reason is the reason of the maintenance that a deployment's fence sets:
// draingate/DEPLOYMENT, and of which election where that is not the usual one, since
// the instances of one must not lift what those of another have set.
func (k Keys) Reason(deployment string) string {
	if key := k.leaderKey(); key != DefaultLeaderKey {
		return reasonPrefix + deployment + ofKey + key
	}
	return reasonPrefix + deployment
}

func (k Keys) leaderKey() string {
	if k.Prefix == "" {
		return DefaultLeaderKey
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
	deployment, _, _ = strings.Cut(deployment, ofKey)
	return deployment, ours && deployment != ""
}
