package gate

import (
	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// Explanation says what a reason means and what a person can do, both as
// sentences in the marks of Markdown. docs/reasons.md has the same words, which
// a test compares.
type Explanation struct {
	Meaning, Remedy string
}

// Explain returns the explanation of the reason of a decision; false for one
// that no decision of this version has.
func Explain(r model.Reason) (Explanation, bool) {
	if e, ok := explanations()[r]; ok {
		return e, true
	}
	e, ok := fenceExplanations()[r]
	return e, ok
}

// Blind reports whether a reason says that something cannot be seen: a hold
// that ends when the view is restored, and not by anything in the job.
func Blind(r model.Reason) bool {
	for _, s := range blind {
		if s.reason == r {
			return true
		}
	}
	return false
}

// explanations are the explanations of all reasons in the order of the chain.
func explanations() map[model.Reason]Explanation {
	return map[model.Reason]Explanation{
		ReasonDeploymentGone:       {"Nomad does not know the deployment any more: it was garbage-collected, its job was purged, or the token may not read it.", "Nothing, or check the rights of the token."},
		ReasonModeOff:              {"The job says `draingate_mode = \"off\"`.", "Nothing; promote by hand, or set another `draingate_mode`."},
		ReasonSystemJob:            {"A system job is reported and never gated: each new allocation takes the place of the old one on its node before any promotion.", "Nothing."},
		ReasonDeploymentEnded:      {"The deployment is successful, failed or cancelled.", "Nothing."},
		ReasonPromoted:             {"Every group with canaries is promoted. draingate goes on looking until the old allocations have ended.", "Nothing."},
		ReasonNoCanaries:           {"No group has canaries: a first deployment, a change in place, or `update.canary = 0`. Nomad asks nobody, so nothing can be gated.", "Nothing for this deployment. Set `update.canary` to have the next one gated."},
		ReasonFencedOut:            {"Every old instance that the promotion stops is in Consul maintenance and in no proxy's pool, and has been for as long as the longest request may take; the instances of draingate on their nodes have acknowledged that. No setting needs to be proven.", "Nothing."},
		fence.ReasonRecordUnknown:  {"A fence of this deployment is stored in Consul in a form that this version of draingate does not know.", "Run one version of draingate on all nodes. Where an old one left the record: `draingate fence lift DEPLOYMENT --force`."},
		ReasonPredictedSafe:        {"Every canary is healthy, passing and routed by every proxy, without a blip for the whole window, and S ≥ T + L + margin for every old instance behind every proxy.", "Nothing. In the mode observe, or in a dry run, promote by hand: `nomad deployment promote ID`."},
		ReasonHoldDeadlinePassed:   {"The deployment waited for longer than its hold deadline and the job says `draingate_on_deadline = \"fail\"`. The old group is proven healthy (all of it runs, passes and is listed by every proxy), and every canary can be stopped without a loss. Nomad then reverts the job if it says `auto_revert`.", "Nothing. The message has the reason that it was held for: cure that before the next deploy."},
		ReasonFrozen:               {"Somebody froze the job, or every job of the namespace, by a Nomad Variable ([overrides](overrides.md)).", "`draingate unfreeze JOB`"},
		ReasonModeInvalid:          {"`draingate_mode` is none of enforce, observe, off.", "Correct the meta key."},
		ReasonSettingInvalid:       {"Another `draingate_` meta key, or a variable that overrides one, has a value that means nothing, or a variable has a key that does.", "The message names it and what would be right."},
		ReasonDeploymentPaused:     {"Somebody paused the deployment.", "`nomad deployment resume ID`; draingate never undoes a person's pause."},
		ReasonDeploymentNotRunning: {"The deployment waits for something else, such as another region.", "Nothing, or look at the deployment in Nomad."},
		ReasonUnsupportedJob:       {"Neither a service nor a system job.", "Promote by hand."},
		ReasonUnsupportedRegion:    {"The job runs, or may run, in a region or datacenter that this draingate does not see.", "Run one there, or narrow the job's `datacenters`."},
		ReasonAutoPromote:          {"The group has `auto_promote = true`: Nomad promotes in the same step in which the canaries turn healthy.", "Set `auto_promote = false`."},
		ReasonProviderNomad:        {"A service has `provider = \"nomad\"`. That catalog has no health: proxies route to what is not ready.", "Set `provider = \"consul\"`."},
		ReasonUnsupportedConnect:   {"A service has a `connect` block; proxies reach it through the mesh.", "Promote by hand."},
		ReasonNomadUnknown:         {"The deployment, its job, its allocations or the local region cannot be read, or the answer is older than 2 s.", "Restore Nomad or the token's rights."},
		ReasonOverridesUnknown:     {"The job's variables cannot be read, so it is not known whether somebody froze it.", "Give the token read on the variables `draingate/jobs/*`."},
		ReasonConsulUnknown:        {"The catalog cannot be read.", "Restore Consul or the token's rights."},
		ReasonProxySetUnknown:      {"It is not known which proxies there are, or there is none.", "`--traefik-service` must name a Consul service that has instances; `--traefik-url` names one each."},
		ReasonProxyAmbiguous:       {"One address answers for several processes, as a load balancer does.", "Name each instance."},
		ReasonProxyUnknown:         {"A proxy does not say what it routes. It may still be routing.", "The message names what is wrong: address, credentials, an API that is off."},
		ReasonSettingsUnknown:      {"The static settings of a proxy cannot be read from the process, nor from the Nomad job that runs it ([settings.md](settings.md)).", "Give its file with `--traefik-config`."},
		ReasonContradiction:        {"Two answers cannot both be true.", "The message names both."},
		ReasonCanaryNotPlaced:      {"Fewer canaries run than the deployment wants.", "Wait, or `nomad deployment status`. Where waiting does not help, the message says what does."},
		ReasonCanaryNotHealthy:     {"A canary is not running, or not healthy for Nomad.", "Wait, or look at the canary."},
		ReasonSetNotPredictable:    {"Nomad is about to move a canary or an old allocation (`nomad node drain`, `nomad alloc stop`), an old one has not started yet, or is on a node that does not answer. What a promotion would stop, and what it would leave, cannot be said. Before a fence, also that an old one does not run, or that names do not tell which ones Nomad stops.", "Usually passes. Otherwise bring the node back, or have Nomad replace the allocation that the message names: `nomad alloc stop ID`."},
		ReasonNotRouted:            {"No proxy routes to any service of the job. There is nothing to prove.", "Promote by hand, or `draingate_mode = \"off\"`."},
		ReasonUnsupportedProtocol:  {"Tags ask for TCP or UDP routers.", "Promote by hand."},
		ReasonUnsupportedRouter:    {"Another provider of Traefik (a file, the Nomad provider) routes to an instance as well.", "Route through the Consul catalog only."},
		ReasonNoCheck:              {"A routed service has no check, so Consul calls it passing before the process runs.", "Add a check on readiness."},
		ReasonInitialStatusPassing: {"A check has `initial_status = \"passing\"`: routed before it was ever checked.", "Remove `initial_status`."},
		ReasonOldNotRegistered:     {"An old allocation runs, but is not in the catalog though its job says so.", "Usually passes; otherwise look at Nomad's client log on that node."},
		ReasonCanaryNotRegistered:  {"A canary is not in the catalog.", "Usually passes; otherwise look at Nomad's client log on that node."},
		ReasonCanaryNotPassing:     {"A canary is not passing in the catalog, whatever Nomad says: Nomad sets health once and never looks again.", "The message has the check's output."},
		ReasonRouterVanished:       {"A router or service that routed the old instances is gone or disabled. Traefik drops a name that two versions define differently, and has none until it has read the catalog after a start.", "Wait, if it has just started; otherwise give both versions the same tags."},
		ReasonOldNotListed:         {"A proxy should route to the old instances and lists none, so the production pool is not known.", "If the old version is down for good, promote by hand."},
		ReasonTagsRefused:          {"Traefik refuses the tags of the canary and leaves it out.", "Correct the tag that the message names."},
		ReasonCanaryOtherRouter:    {"The canary is routed by another service than the old instances. Promotion would empty the production pool first.", "Let `canary_tags` define the same router and service as `tags`."},
		ReasonCanaryNotListed:      {"A proxy does not have the canary in its pool yet.", "Wait for its `refreshInterval`."},
		ReasonCatalogRecovering:    {"The catalog was unreadable less than 20 s ago. A proxy that had the same trouble may still wait before it asks again.", "Wait."},
		ReasonLeaderChanged:        {"Another instance of draingate led until less than 20 s ago, and what it saw of the catalog is not known to this one.", "Wait."},
		ReasonWindowRunning:        {"All of it is true, but not yet for 5 s or two intervals of the slowest check.", "Wait."},
		ReasonDrainUnknown:         {"S or T cannot be predicted: watch mode, stale or cached reads, a declared drain that is no duration, a load that was not measured.", "The message names it."},
		ReasonDrainMasked:          {"S < T + L + margin. Retry or a health check hides part of the loss, which is no promise.", "The message has the smallest `shutdown_delay` that would do. Submit the *running* version with that delay and nothing else, which Nomad changes in place; then the new version with the same delay. Where the canaries already take traffic and have no delay either, take them out of Consul first, as the message says: a newer submission stops them. Or lower `refreshInterval`."},
		ReasonDrainUnsafe:          {"S < T + L + margin: promotion would stop an old instance while a proxy may still route to it.", "The message has the smallest `shutdown_delay` that would do. Submit the *running* version with that delay and nothing else, which Nomad changes in place; then the new version with the same delay. Where the canaries already take traffic and have no delay either, take them out of Consul first, as the message says: a newer submission stops them. Or lower `refreshInterval`."},
	}
}

// fenceExplanations are those of the reasons that only a fence has.
func fenceExplanations() map[model.Reason]Explanation {
	return map[model.Reason]Explanation{
		fence.ReasonFenceAborted:   {"The old instances were to be taken out of rotation before the promotion, and that came to nothing: a canary turned bad, a proxy did not drop them in time, somebody paused or promoted, the leader went. There is one attempt for each deployment. All fences are lifted.", "The message says what came in between. Promote by hand, or submit the version again."},
		ReasonFenceIneffective:     {"A proxy accepts what is in maintenance (`strictChecks` with `any` or `maintenance`), or may read a catalog that is older than the fence (`stale`, `cache`), so that a fence proves nothing there.", "Change that setting of the proxy, or give the job a `shutdown_delay` that is long enough: the message has it."},
		fence.ReasonCapacityTooLow: {"Without the old instances that the promotion stops, fewer than count − `max_parallel` would be passing and listed by every proxy.", "See to the instances that are not. Where the count is right, use as many canaries."},
		fence.ReasonNoFencerOnNode: {"On the node of an old instance no draingate is present, and only one there can take it out of rotation.", "Run draingate as a system job on every node, or give the job a `shutdown_delay` that is long enough: the message has it."},
		fence.ReasonFencing:        {"The drain is not proven to be long enough, or `draingate_fence = \"always\"`: the old instances that the promotion stops are taken out of rotation first.", "Nothing."},
	}
}
