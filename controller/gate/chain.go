package gate

import (
	"slices"

	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// The groups of conditions that a step can keep from being True.
var (
	onHealth  = []model.ConditionType{model.CanaryHealthy}
	onCatalog = []model.ConditionType{model.CatalogPassing}
	onRouting = []model.ConditionType{model.ProxyRouting}
	onDrain   = []model.ConditionType{model.DrainSafe}
	onProxies = []model.ConditionType{model.ProxyRouting, model.DrainSafe}
	onConsul  = []model.ConditionType{model.CatalogPassing, model.ProxyRouting, model.DrainSafe}
	onStart   = []model.ConditionType{model.CanaryHealthy, model.CatalogPassing, model.ProxyRouting}
	onFence   = []model.ConditionType{model.Fenced}
	onAll     = []model.ConditionType{model.CanaryHealthy, model.CatalogPassing, model.ProxyRouting, model.DrainSafe}
)

// settled are the steps after which there is nothing left to decide.
var settled = []step{
	{ReasonDeploymentGone, deploymentGone, model.None, model.Unknown, onAll},
	{ReasonModeOff, modeOff, model.None, model.Unknown, nil},
	{ReasonSystemJob, systemJob, model.None, model.Unknown, nil},
	{ReasonDeploymentEnded, deploymentEnded, model.None, model.Unknown, nil},
	{ReasonPromoted, promoted, model.None, model.Unknown, nil},
	{ReasonNoCanaries, noCanaries, model.None, model.Unknown, nil},
}

// standing are the steps on which no observation has any bearing: what the
// job or a person says.
var standing = []step{
	{ReasonFrozen, frozen, model.Hold, model.Unknown, nil},
	{ReasonModeInvalid, modeInvalid, model.Hold, model.Unknown, nil},
	{ReasonSettingInvalid, settingInvalid, model.Hold, model.Unknown, nil},
	{ReasonDeploymentPaused, deploymentPaused, model.Hold, model.Unknown, nil},
	{ReasonDeploymentNotRunning, deploymentNotRunning, model.Hold, model.Unknown, nil},
	{ReasonUnsupportedJob, unsupportedJob, model.Hold, model.Unknown, nil},
	{ReasonUnsupportedRegion, unsupportedRegion, model.Hold, model.Unknown, nil},
	{ReasonAutoPromote, autoPromote, model.Hold, model.Unknown, nil},
	{ReasonProviderNomad, providerNomad, model.Hold, model.Unknown, nil},
	{ReasonUnsupportedConnect, unsupportedConnect, model.Hold, model.Unknown, nil},
}

// blind are the steps that find a fact missing, stale or contradicted.
var blind = []step{
	{ReasonNomadUnknown, nomadUnknown, model.Hold, model.Unknown, onAll},
	{ReasonOverridesUnknown, overridesUnknown, model.Hold, model.Unknown, nil},
	{ReasonConsulUnknown, consulUnknown, model.Hold, model.Unknown, onConsul},
	{ReasonProxySetUnknown, proxySetUnknown, model.Hold, model.Unknown, onProxies},
	{ReasonProxyAmbiguous, proxyAmbiguous, model.Hold, model.Unknown, onProxies},
	{ReasonProxyUnknown, proxyUnknown, model.Hold, model.Unknown, onProxies},
	{ReasonSettingsUnknown, settingsUnknown, model.Hold, model.Unknown, onProxies},
	{ReasonContradiction, contradiction, model.Hold, model.Unknown, onAll},
}

// startSide are the steps that find a new instance not yet able to take over.
var startSide = []step{
	{ReasonCanaryNotPlaced, canaryNotPlaced, model.Hold, model.False, onStart},
	{ReasonCanaryNotHealthy, canaryNotHealthy, model.Hold, model.False, onHealth},
	{ReasonSetNotPredictable, setNotPredictable, model.Hold, model.Unknown, onDrain},
	{ReasonNotRouted, notRouted, model.Hold, model.False, onProxies},
	{ReasonUnsupportedProtocol, unsupportedProtocol, model.Hold, model.False, onRouting},
	{ReasonUnsupportedRouter, unsupportedRouter, model.Hold, model.False, onRouting},
	{ReasonNoCheck, noCheck, model.Hold, model.False, onCatalog},
	{ReasonInitialStatusPassing, initialStatusPassing, model.Hold, model.False, onCatalog},
	{ReasonOldNotRegistered, oldNotRegistered, model.Hold, model.False, onRouting},
	{ReasonCanaryNotRegistered, canaryNotRegistered, model.Hold, model.False, onCatalog},
	{ReasonCanaryNotPassing, canaryNotPassing, model.Hold, model.False, onCatalog},
	{ReasonRouterVanished, routerVanished, model.Hold, model.False, onRouting},
	{ReasonOldNotListed, oldNotListed, model.Hold, model.False, onRouting},
	{ReasonTagsRefused, tagsRefused, model.Hold, model.False, onRouting},
	{ReasonCanaryOtherRouter, canaryOtherRouter, model.Hold, model.False, onRouting},
	{ReasonCanaryNotListed, canaryNotListed, model.Hold, model.False, onRouting},
}

// lasting are the steps that find the start side true, but not for long enough.
var lasting = []step{
	{ReasonCatalogRecovering, catalogRecovering, model.Hold, model.Unknown, nil},
	{ReasonLeaderChanged, leaderChanged, model.Hold, model.Unknown, nil},
	{ReasonWindowRunning, windowRunning, model.Hold, model.Unknown, nil},
}

// stopSide are the steps that find an old instance gone before its proxies
// have stopped routing to it.
var stopSide = []step{
	{ReasonDrainUnknown, drainUnknown, model.Hold, model.Unknown, onDrain},
	{ReasonDrainMasked, drainMasked, model.Hold, model.False, onDrain},
	{ReasonDrainUnsafe, drainUnsafe, model.Hold, model.False, onDrain},
}

// fenceSide are the steps of a promotion that takes old instances out of rotation
// first. They find nothing where it need not, or is not to. Where one finds
// something, the stop side is not asked any more: a fence needs no proof of it.
var fenceSide = []step{
	{fence.ReasonRecordUnknown, recordUnknown, model.Hold, model.Unknown, onFence},
	{fence.ReasonFenceAborted, fenceAborted, model.Hold, model.False, onFence},
	{ReasonFenceIneffective, fenceIneffective, model.Hold, model.False, onFence},
	{ReasonSetNotPredictable, fenceUnpredictable, model.Hold, model.Unknown, onFence},
	{fence.ReasonCapacityTooLow, capacityTooLow, model.Hold, model.False, onFence},
	{fence.ReasonNoFencerOnNode, noFencerOnNode, model.Hold, model.False, onFence},
	{fence.ReasonFencing, fenceFirst, model.Fence, model.False, onFence},
}

// observed are the steps whose silence, pass after pass, makes the window.
var observed = slices.Concat(standing, blind, startSide)

// chain is the whole order of decisions.
var chain = slices.Concat(settled, observed, lasting, fenceSide, stopSide)

// HoldReasons returns every reason of a Hold, in the order of the chain.
func HoldReasons() []model.Reason { return reasonsOf(model.Hold) }

// Reasons returns every reason that a decision can have with its verb, each once,
// in the order in which the chain first looks for it, Fail and Promote last. It
// has those that only a fence has also where none is in force.
func Reasons() []struct {
	Verb   model.Verb
	Reason model.Reason
} {
	type pair = struct {
		Verb   model.Verb
		Reason model.Reason
	}
	out := make([]pair, 0, len(chain)+3)
	for _, s := range chain {
		if p := (pair{s.verb, s.reason}); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return append(out, pair{model.Fail, ReasonHoldDeadlinePassed}, pair{model.Promote, ReasonFencedOut}, pair{model.Promote, ReasonPredictedSafe})
}

func reasonsOf(verb model.Verb) []model.Reason {
	var out []model.Reason
	for _, r := range Reasons() {
		if r.Verb == verb {
			out = append(out, r.Reason)
		}
	}
	return out
}
