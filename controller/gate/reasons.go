package gate

import (
	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// Reasons of a decision None: there is nothing to decide.
const (
	// ReasonModeOff: the job says draingate_mode = "off".
	ReasonModeOff model.Reason = "ModeOff"
	// ReasonDeploymentGone: Nomad no longer knows the deployment.
	ReasonDeploymentGone model.Reason = "DeploymentGone"
	// ReasonSystemJob: a system job is reported and never gated.
	ReasonSystemJob model.Reason = "SystemJob"
	// ReasonDeploymentEnded: the deployment is successful, failed or cancelled.
	ReasonDeploymentEnded model.Reason = "DeploymentEnded"
	// ReasonFencedOut: every old instance that the promotion stops is in maintenance,
	// in no proxy's pool, and has been for as long as a request may take.
	ReasonFencedOut model.Reason = "FencedOut"
	// ReasonPromoted: every group with canaries is promoted.
	ReasonPromoted model.Reason = "Promoted"
	// ReasonNoCanaries: no group of the deployment has canaries to promote.
	ReasonNoCanaries model.Reason = "NoCanaries"
)

// Reason of a decision Fail.
const (
	// ReasonHoldDeadlinePassed: the deployment waited for longer than its hold
	// deadline, the job asks to fail it then, and nothing is lost by that.
	ReasonHoldDeadlinePassed model.Reason = "HoldDeadlinePassed"
)

// Reason of a decision Promote.
const (
	// ReasonPredictedSafe: the start side is seen and S ≥ T + L + margin follows
	// from settings for every old instance behind every proxy.
	ReasonPredictedSafe model.Reason = "PredictedSafe"
)

// Reasons of a decision Hold, in the order in which they are looked for.
const (
	// ReasonFrozen: a person froze the job, or all jobs, by a Nomad Variable.
	ReasonFrozen model.Reason = "Frozen"
	// ReasonModeInvalid: draingate_mode is not enforce, observe or off.
	ReasonModeInvalid model.Reason = "ModeInvalid"
	// ReasonSettingInvalid: another setting in the meta, or an override, has a
	// value or a key that means nothing.
	ReasonSettingInvalid model.Reason = "SettingInvalid"
	// ReasonDeploymentPaused: somebody paused the deployment.
	ReasonDeploymentPaused model.Reason = "DeploymentPaused"
	// ReasonDeploymentNotRunning: a status in which Nomad waits for others.
	ReasonDeploymentNotRunning model.Reason = "DeploymentNotRunning"
	// ReasonUnsupportedJob: neither a service nor a system job.
	ReasonUnsupportedJob model.Reason = "UnsupportedJob"
	// ReasonUnsupportedRegion: not in the local region and datacenter.
	ReasonUnsupportedRegion model.Reason = "UnsupportedRegion"
	// ReasonAutoPromote: Nomad promotes by itself and cannot be held.
	ReasonAutoPromote model.Reason = "AutoPromote"
	// ReasonProviderNomad: a service is registered with Nomad, not Consul.
	ReasonProviderNomad model.Reason = "ProviderNomad"
	// ReasonUnsupportedConnect: a service is reached through Consul's mesh.
	ReasonUnsupportedConnect model.Reason = "UnsupportedConnect"

	// ReasonNomadUnknown: the deployment, its job or its allocations cannot be read.
	ReasonNomadUnknown model.Reason = "NomadUnknown"
	// ReasonOverridesUnknown: the job's variables cannot be read.
	ReasonOverridesUnknown model.Reason = "OverridesUnknown"
	// ReasonConsulUnknown: the catalog cannot be read.
	ReasonConsulUnknown model.Reason = "ConsulUnknown"
	// ReasonProxySetUnknown: it is not known which proxies there are, or there is none.
	ReasonProxySetUnknown model.Reason = "ProxySetUnknown"
	// ReasonProxyUnknown: a proxy does not say what it routes.
	ReasonProxyUnknown model.Reason = "ProxyUnknown"
	// ReasonProxyAmbiguous: one address answers for several proxies.
	ReasonProxyAmbiguous model.Reason = "ProxyAmbiguous"
	// ReasonSettingsUnknown: the static settings of a proxy are not known.
	ReasonSettingsUnknown model.Reason = "SettingsUnknown"
	// ReasonContradiction: two answers cannot both be true.
	ReasonContradiction model.Reason = "Contradiction"

	// ReasonCanaryNotPlaced: fewer canaries are running than the deployment wants.
	ReasonCanaryNotPlaced model.Reason = "CanaryNotPlaced"
	// ReasonCanaryNotHealthy: a canary is not healthy for Nomad.
	ReasonCanaryNotHealthy model.Reason = "CanaryNotHealthy"
	// ReasonSetNotPredictable: Nomad is about to move an instance, or does not know
	// how one is, so that what a promotion would stop cannot be said; or a fence
	// cannot tell which instances that would be.
	ReasonSetNotPredictable = fence.ReasonSetNotPredictable
	// ReasonNotRouted: no proxy routes to any group of the deployment.
	ReasonNotRouted model.Reason = "NotRouted"
	// ReasonUnsupportedProtocol: tags ask for TCP or UDP routers.
	ReasonUnsupportedProtocol model.Reason = "UnsupportedProtocol"
	// ReasonUnsupportedRouter: an instance is routed by something other than
	// the Consul catalog provider.
	ReasonUnsupportedRouter model.Reason = "UnsupportedRouter"
	// ReasonNoCheck: a routed service has no check.
	ReasonNoCheck model.Reason = "NoCheck"
	// ReasonInitialStatusPassing: a check of a routed service starts as passing.
	ReasonInitialStatusPassing model.Reason = "InitialStatusPassing"
	// ReasonOldNotRegistered: an old allocation is not in the catalog though its job says so.
	ReasonOldNotRegistered model.Reason = "OldNotRegistered"
	// ReasonCanaryNotRegistered: a canary is not in the catalog.
	ReasonCanaryNotRegistered model.Reason = "CanaryNotRegistered"
	// ReasonCanaryNotPassing: a canary is not passing in the catalog, or has no check there.
	ReasonCanaryNotPassing model.Reason = "CanaryNotPassing"
	// ReasonRouterVanished: a router or service that routed the old instances is gone or disabled.
	ReasonRouterVanished model.Reason = "RouterVanished"
	// ReasonOldNotListed: no proxy pool with an old instance can be found.
	ReasonOldNotListed model.Reason = "OldNotListed"
	// ReasonTagsRefused: Traefik refuses the tags of a canary and leaves it out.
	ReasonTagsRefused model.Reason = "TagsRefused"
	// ReasonCanaryOtherRouter: a canary is routed, but not in the production pool.
	ReasonCanaryOtherRouter model.Reason = "CanaryOtherRouter"
	// ReasonCanaryNotListed: a proxy does not have a canary in its pool yet.
	ReasonCanaryNotListed model.Reason = "CanaryNotListed"
	// ReasonCatalogRecovering: the catalog was unreadable a short while ago, and
	// proxies may still be waiting to try again.
	ReasonCatalogRecovering model.Reason = "CatalogRecovering"
	// ReasonLeaderChanged: another instance led until a short while ago, and what
	// it saw of the catalog is not known here.
	ReasonLeaderChanged model.Reason = "LeaderChanged"
	// ReasonWindowRunning: all of it is true, but not for long enough yet.
	ReasonWindowRunning model.Reason = "WindowRunning"

	// ReasonFenceIneffective: a proxy routes to what is in maintenance, or may read
	// a catalog that is older than the fence.
	ReasonFenceIneffective model.Reason = "FenceIneffective"

	// ReasonDrainUnknown: S or T cannot be predicted.
	ReasonDrainUnknown model.Reason = "DrainUnknown"
	// ReasonDrainMasked: S < T + L + margin; retry or a health check hides part of the loss.
	ReasonDrainMasked model.Reason = "DrainMasked"
	// ReasonDrainUnsafe: S < T + L + margin.
	ReasonDrainUnsafe model.Reason = "DrainUnsafe"
)
