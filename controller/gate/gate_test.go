package gate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// twoGroups is a world in which each of two groups awaits promotion: the
// allocations are old, canary, old, canary.
func twoGroups() world {
	w := ready()
	w.groups = 2
	return w
}

// rolling makes the second group one without canaries, of which Nomad has
// replaced one allocation so far.
func rolling(s *model.Snapshot) {
	state := &s.Deployment.Value.Groups[1]
	state.DesiredCanaries, state.PlacedCanaries = 0, nil
	s.Allocations.Value[3].Canary = false
}

// inPlace makes the second group one that the deployment changed in place.
func inPlace(s *model.Snapshot) {
	state := &s.Deployment.Value.Groups[1]
	state.DesiredCanaries, state.PlacedCanaries = 0, nil
	s.Allocations.Value = s.Allocations.Value[:3]
	s.Allocations.Value[2].DeploymentID, s.Allocations.Value[2].Job = s.Key.Deployment, twoGroups().job(1)
}

// Each case breaks one thing in a world that would be promoted. The whole
// chain is run, not the single check, so that the order counts as well; the
// one reason and the figures in the message are what a person acts on.
func TestDecision(t *testing.T) {
	cases := map[string]struct {
		world   world
		changes []change
		verb    model.Verb
		reason  model.Reason
		says    []string
	}{
		"everything true for long enough is promoted": {
			verb: model.Promote, reason: ReasonPredictedSafe, says: []string{"1 canary healthy", "2 proxies", "S = 20s ≥ T = 17.52s + L 0s + margin 1s"},
		},
		"two groups are promoted together": {
			world: world{groups: 2, olds: 3, canaries: 1, proxies: 1, refresh: 2 * time.Second, delay: 6 * time.Second},
			verb:  model.Promote, reason: ReasonPredictedSafe,
		},
		"a deployment that Nomad collected needs nothing": {
			changes: []change{func(s *model.Snapshot) {
				s.Gone, s.Deployment = true, model.Unseen[model.Deployment](s.Deployment.At, "not found")
			}},
			verb: model.None, reason: ReasonDeploymentGone,
		},
		"mode off leaves the job alone": {
			changes: []change{newJob(func(j *model.Job) { j.Meta[MetaMode] = "off" })},
			verb:    model.None, reason: ReasonModeOff,
		},
		"a failed deployment has ended": {
			changes: []change{dep(func(d *model.Deployment) { d.Status = model.DeploymentFailed })},
			verb:    model.None, reason: ReasonDeploymentEnded,
		},
		"a promoted deployment needs nothing more": {
			changes: []change{dep(func(d *model.Deployment) { d.Groups[0].Promoted = true })},
			verb:    model.None, reason: ReasonPromoted,
		},
		"a first deployment has no canaries": {
			changes: []change{dep(func(d *model.Deployment) { d.Groups[0].DesiredCanaries = 0 })},
			verb:    model.None, reason: ReasonNoCanaries,
		},
		"a mistyped mode holds": {
			changes: []change{newJob(func(j *model.Job) { j.Meta[MetaMode] = "enforced" })},
			verb:    model.Hold, reason: ReasonModeInvalid, says: []string{`"enforced"`, "enforce, observe or off"},
		},
		"a freeze stands whatever the job says": {
			changes: []change{override("web", "freeze", "black friday"), newJob(func(j *model.Job) { j.Meta[MetaMode] = "enforced" })},
			verb:    model.Hold, reason: ReasonFrozen, says: []string{`"black friday" (variable draingate/jobs/web)`, "draingate unfreeze"},
		},
		"a freeze of every job counts for this one": {
			changes: []change{override(model.EveryJob, "freeze", "")},
			verb:    model.Hold, reason: ReasonFrozen, says: []string{"draingate/jobs/~2A"},
		},
		"an override of the mode wins over the job": {
			changes: []change{override("web", "mode", "off")},
			verb:    model.None, reason: ReasonModeOff, says: []string{"variable draingate/jobs/web"},
		},
		"an override of the mode that means nothing holds": {
			changes: []change{override("web", "mode", "on")},
			verb:    model.Hold, reason: ReasonModeInvalid, says: []string{`variable draingate/jobs/web has mode = "on"`},
		},
		"a key of a variable that means nothing holds": {
			changes: []change{override("web", "frozen", "true")},
			verb:    model.Hold, reason: ReasonSettingInvalid, says: []string{"draingate/jobs/web: frozen means nothing", "freeze, hold_deadline, mode, on_deadline"},
		},
		"a hold deadline that is no duration holds": {
			changes: []change{newJob(func(j *model.Job) { j.Meta[MetaHoldDeadline] = "soon" })},
			verb:    model.Hold, reason: ReasonSettingInvalid, says: []string{`"soon"`, "45m"},
		},
		"what to do on the deadline must be hold or fail": {
			changes: []change{newJob(func(j *model.Job) { j.Groups[0].Meta = map[string]string{MetaOnDeadline: "revert"} })},
			verb:    model.Hold, reason: ReasonSettingInvalid, says: []string{`"revert"`, "hold or fail"},
		},
		"variables that cannot be read hold": {
			changes: []change{func(s *model.Snapshot) {
				s.Overrides = model.Unseen[model.Overrides](s.Overrides.At, "permission denied")
			}},
			verb: model.Hold, reason: ReasonOverridesUnknown, says: []string{"permission denied"},
		},
		"variables that were read too long ago hold": {
			changes: []change{func(s *model.Snapshot) { s.Overrides.At = s.Overrides.At.Add(-3 * time.Second) }},
			verb:    model.Hold, reason: ReasonOverridesUnknown,
		},
		"a person's pause is respected": {
			changes: []change{dep(func(d *model.Deployment) { d.Status = model.DeploymentPaused })},
			verb:    model.Hold, reason: ReasonDeploymentPaused, says: []string{"nomad deployment resume"},
		},
		"a deployment blocked by another region is not running": {
			changes: []change{dep(func(d *model.Deployment) { d.Status = "blocked" })},
			verb:    model.Hold, reason: ReasonDeploymentNotRunning, says: []string{`"blocked"`},
		},
		"a system job is reported, not gated": {
			changes: []change{newJob(func(j *model.Job) { j.Type = model.JobTypeSystem })},
			verb:    model.None, reason: ReasonSystemJob, says: []string{"takes the place"},
		},
		"a job of another type is not gated": {
			changes: []change{newJob(func(j *model.Job) { j.Type = "batch" })},
			verb:    model.Hold, reason: ReasonUnsupportedJob, says: []string{`"batch"`},
		},
		"a job of another region is out of sight": {
			changes: []change{newJob(func(j *model.Job) { j.Region = "eu" })},
			verb:    model.Hold, reason: ReasonUnsupportedRegion, says: []string{`"eu"`},
		},
		"a job that may run in another datacenter is out of sight": {
			changes: []change{newJob(func(j *model.Job) { j.Datacenters = []string{"dc1", "dc2"} })},
			verb:    model.Hold, reason: ReasonUnsupportedRegion, says: []string{`"dc2"`},
		},
		"auto_promote cannot be gated": {
			changes: []change{newJob(func(j *model.Job) { j.Groups[0].Update.AutoPromote = true })},
			verb:    model.Hold, reason: ReasonAutoPromote, says: []string{"auto_promote = false"},
		},
		"the Nomad provider has no health": {
			changes: []change{newJob(func(j *model.Job) { j.Groups[0].Services[0].Provider = model.ProviderNomad })},
			verb:    model.Hold, reason: ReasonProviderNomad, says: []string{`provider = "consul"`},
		},
		"an old version on the Nomad provider is no better": {
			changes: []change{oldJob(func(j *model.Job) { j.Groups[0].Services[0].Provider = model.ProviderNomad })},
			verb:    model.Hold, reason: ReasonProviderNomad,
		},
		"a mesh service is not seen": {
			changes: []change{newJob(func(j *model.Job) { j.Groups[0].Services[0].Connect = true })},
			verb:    model.Hold, reason: ReasonUnsupportedConnect,
		},
		"a deployment that cannot be read holds": {
			changes: []change{func(s *model.Snapshot) {
				s.Deployment = model.Unseen[model.Deployment](s.Deployment.At, "connection refused")
			}},
			verb: model.Hold, reason: ReasonNomadUnknown, says: []string{"connection refused"},
		},
		"a job that cannot be read holds": {
			changes: []change{func(s *model.Snapshot) { s.Job = model.Unseen[model.Job](s.Job.At, "500") }},
			verb:    model.Hold, reason: ReasonNomadUnknown,
		},
		"allocations that are too old an answer hold": {
			changes: []change{func(s *model.Snapshot) { s.Allocations.At = s.Allocations.At.Add(-3 * time.Second) }},
			verb:    model.Hold, reason: ReasonNomadUnknown, says: []string{"3s ago"},
		},
		"a region that is not known holds": {
			changes: []change{func(s *model.Snapshot) { s.Region, s.RegionErr = "", "403" }},
			verb:    model.Hold, reason: ReasonNomadUnknown, says: []string{"403"},
		},
		"an old allocation without its own job holds": {
			changes: []change{func(s *model.Snapshot) { firstOld(s).Job = nil }},
			verb:    model.Hold, reason: ReasonNomadUnknown,
		},
		"a catalog that cannot be read holds": {
			changes: []change{func(s *model.Snapshot) {
				s.Catalog["group0"] = model.Unseen[[]model.Registration](s.Job.At, "no leader")
			}},
			verb: model.Hold, reason: ReasonConsulUnknown, says: []string{"no leader"},
		},
		"a service that was not looked up holds": {
			changes: []change{func(s *model.Snapshot) { delete(s.Catalog, "group0") }},
			verb:    model.Hold, reason: ReasonConsulUnknown,
		},
		"an empty proxy set is unknown": {
			changes: []change{func(s *model.Snapshot) { s.Proxies.Value = nil }},
			verb:    model.Hold, reason: ReasonProxySetUnknown, says: []string{"--traefik-service", "--traefik-url"},
		},
		"a proxy set that cannot be read is unknown": {
			changes: []change{func(s *model.Snapshot) { s.Proxies = model.Unseen[[]model.Proxy](s.Job.At, "no leader") }},
			verb:    model.Hold, reason: ReasonProxySetUnknown,
		},
		"one address with two processes behind it is refused": {
			changes: []change{proxy(1, func(p *model.Proxy) { p.Ambiguous = "10.0.0.2:8080 answers for two processes" })},
			verb:    model.Hold, reason: ReasonProxyAmbiguous, says: []string{"two processes"},
		},
		"a proxy whose API is blocked holds": {
			changes: []change{proxy(1, func(p *model.Proxy) {
				p.Started = model.Unseen[time.Time](p.Started.At, "connection refused")
			})},
			verb: model.Hold, reason: ReasonProxyUnknown, says: []string{"10.0.0.2:8080", "connection refused"},
		},
		"a proxy that answered too long ago holds": {
			changes: []change{proxy(0, func(p *model.Proxy) { p.Routing.At = p.Routing.At.Add(-2500 * time.Millisecond) })},
			verb:    model.Hold, reason: ReasonProxyUnknown, says: []string{"2.5s ago"},
		},
		"a proxy without settings holds": {
			changes: []change{proxy(0, func(p *model.Proxy) {
				p.Settings = model.Unseen[model.ProxySettings](p.Started.At, "no support-dump")
			})},
			verb: model.Hold, reason: ReasonSettingsUnknown, says: []string{"--traefik-config"},
		},
		"a job of another version than the deployment's is a contradiction": {
			changes: []change{newJob(func(j *model.Job) { j.Version = 7 })},
			verb:    model.Hold, reason: ReasonContradiction, says: []string{"version 1", "version 7"},
		},
		"a canary and an old instance at one address cannot be told apart": {
			changes: []change{func(s *model.Snapshot) {
				old, canary := registrationOf(s, firstOld(s)), registrationOf(s, firstCanary(s))
				old.Port = canary.Port
			}},
			verb: model.Hold, reason: ReasonContradiction, says: []string{"dynamic port"},
		},
		"a proxy that routes what its settings rule out contradicts itself": {
			changes: []change{proxy(0, func(p *model.Proxy) { p.Settings.Value.ConsulCatalog = false })},
			verb:    model.Hold, reason: ReasonContradiction,
		},
		"a canary that is not placed yet": {
			changes: []change{func(s *model.Snapshot) { firstCanary(s).ClientStatus = model.ClientFailed }},
			verb:    model.Hold, reason: ReasonCanaryNotPlaced, says: []string{"0 of 1"},
		},
		"a canary that Nomad was told to stop does not count": {
			changes: []change{func(s *model.Snapshot) { firstCanary(s).DesiredStatus = model.DesiredStop }},
			verb:    model.Hold, reason: ReasonCanaryNotPlaced,
		},
		"a canary that is not healthy": {
			changes: []change{func(s *model.Snapshot) { firstCanary(s).Health = model.HealthUnset }},
			verb:    model.Hold, reason: ReasonCanaryNotHealthy, says: []string{"unset"},
		},
		"a canary that was healthy and is pending again": {
			changes: []change{func(s *model.Snapshot) { firstCanary(s).ClientStatus = model.ClientPending }},
			verb:    model.Hold, reason: ReasonCanaryNotHealthy,
		},
		"a canary that failed before it was healthy is waited for": {
			changes: []change{func(s *model.Snapshot) {
				firstCanary(s).ClientStatus, firstCanary(s).Health = model.ClientFailed, model.HealthFalse
			}},
			verb: model.Hold, reason: ReasonCanaryNotPlaced, says: []string{"0 of 1 canaries: canary c0000000 is failed and is not replaced yet"},
		},
		"a canary that failed after it was healthy is waited for in vain": {
			changes: []change{func(s *model.Snapshot) { firstCanary(s).ClientStatus = model.ClientFailed }},
			verb:    model.Hold, reason: ReasonCanaryNotPlaced, says: []string{"after it was healthy", `"nomad alloc stop c0000000" makes it`},
		},
		"a canary that was replaced is not spoken of": {
			changes: []change{func(s *model.Snapshot) {
				firstCanary(s).ClientStatus, firstCanary(s).DesiredStatus = model.ClientFailed, model.DesiredStop
			}},
			verb: model.Hold, reason: ReasonCanaryNotPlaced, says: []string{`group "group0" has 0 of 1 canaries$`},
		},
		"a canary that is about to be moved would leave together with the old ones": {
			changes: []change{func(s *model.Snapshot) { firstCanary(s).Migrating, firstCanary(s).NodeName = true, "n7" }},
			verb:    model.Hold, reason: ReasonSetNotPredictable, says: []string{"canary c0000000 away from node n7", "stopped together"},
		},
		"an old allocation that is about to be moved": {
			changes: []change{func(s *model.Snapshot) { firstOld(s).Migrating, firstOld(s).NodeName = true, "n7" }},
			verb:    model.Hold, reason: ReasonSetNotPredictable, says: []string{"old allocation a0000000 is about to be moved away from node n7"},
		},
		"an old allocation on a node that does not answer": {
			changes: []change{func(s *model.Snapshot) { firstOld(s).ClientStatus = model.ClientUnknown }},
			verb:    model.Hold, reason: ReasonSetNotPredictable, says: []string{"does not answer Nomad"},
		},
		"an old allocation that takes the place of another and has not started": {
			changes: []change{func(s *model.Snapshot) {
				firstOld(s).ClientStatus = model.ClientPending
				unregister(s, firstOld(s))
			}},
			verb: model.Hold, reason: ReasonSetNotPredictable, says: []string{"has not started yet"},
		},
		"an old allocation that is only being restarted": {
			changes: []change{func(s *model.Snapshot) { firstOld(s).ClientStatus = model.ClientPending }},
			verb:    model.Promote, reason: ReasonPredictedSafe,
		},
		"an old allocation that this deployment changed in place may be stopped as well": {
			changes: []change{func(s *model.Snapshot) {
				a := firstOld(s)
				a.DeploymentID, a.Job = s.Key.Deployment, ready().job(1)
				a.Job.Groups[0].ShutdownDelay = 0
			}},
			verb: model.Hold, reason: ReasonDrainUnsafe, says: []string{"old allocation a0000000 serves S = 0s"},
		},
		"of several groups the one that is not safe is named, and the cure is its own": {
			world: twoGroups(),
			changes: []change{func(s *model.Snapshot) {
				s.Allocations.Value[2].Job.Groups[1].ShutdownDelay = 0
			}},
			verb: model.Hold, reason: ReasonDrainUnsafe, says: []string{`old allocation a1000000 of group "group1" serves S = 0s`, `with group "group1" shutdown_delay = "19s"`},
		},
		"of several groups the one whose canary is not healthy is named": {
			world:   twoGroups(),
			changes: []change{func(s *model.Snapshot) { s.Allocations.Value[3].Health = model.HealthUnset }},
			verb:    model.Hold, reason: ReasonCanaryNotHealthy, says: []string{`canary c1000000 of group "group1" is running`},
		},
		"a group without canaries that Nomad replaces is not gated, and said to be so": {
			world: twoGroups(), changes: []change{rolling},
			verb: model.Promote, reason: ReasonPredictedSafe, says: []string{"1 canary healthy", "replaced by Nomad without asking: group group1"},
		},
		"a group that changes in place is not spoken of": {
			world: twoGroups(), changes: []change{inPlace},
			verb: model.Promote, reason: ReasonPredictedSafe, says: []string{"at proxy 10.0.0.1:8080$"},
		},
		"a job that no proxy routes to has nothing to prove": {
			changes: []change{func(s *model.Snapshot) {
				for i := range s.Proxies.Value {
					s.Proxies.Value[i].Routing.Value = model.Routing{}
					for id := range s.Proxies.Value[i].Tags {
						s.Proxies.Value[i].Tags[id] = model.TagReading{Excluded: "traefik.enable is not true"}
					}
				}
			}},
			verb: model.Hold, reason: ReasonNotRouted, says: []string{"traefik.enable is not true"},
		},
		"a TCP router is not seen": {
			changes: []change{proxy(0, func(p *model.Proxy) {
				for id, r := range p.Tags {
					r.NonHTTP = true
					p.Tags[id] = r
				}
			})},
			verb: model.Hold, reason: ReasonUnsupportedProtocol,
		},
		"an instance that another provider routes as well": {
			changes: []change{proxy(0, func(p *model.Proxy) {
				other := p.Routing.Value.Services[0]
				other.Name, other.Provider = "web@file", "file"
				p.Routing.Value.Services = append(p.Routing.Value.Services, other)
			})},
			verb: model.Hold, reason: ReasonUnsupportedRouter, says: []string{"web@file"},
		},
		"a routed service without a check": {
			changes: []change{newJob(func(j *model.Job) { j.Groups[0].Services[0].Checks = nil })},
			verb:    model.Hold, reason: ReasonNoCheck,
		},
		"a check that starts as passing": {
			changes: []change{newJob(func(j *model.Job) { j.Groups[0].Services[0].Checks[0].InitialStatus = "passing" })},
			verb:    model.Hold, reason: ReasonInitialStatusPassing,
		},
		"an old allocation that runs and is not in the catalog": {
			changes: []change{func(s *model.Snapshot) { unregister(s, firstOld(s)) }},
			verb:    model.Hold, reason: ReasonOldNotRegistered,
		},
		"a canary that is not in the catalog": {
			changes: []change{func(s *model.Snapshot) { unregister(s, firstCanary(s)) }},
			verb:    model.Hold, reason: ReasonCanaryNotRegistered,
		},
		"a canary that turned critical after Nomad called it healthy": {
			changes: []change{func(s *model.Snapshot) {
				r := registrationOf(s, firstCanary(s))
				r.Status, r.Checks[0].Status, r.Checks[0].Output = model.StatusCritical, model.StatusCritical, "HTTP GET: 503"
			}},
			verb: model.Hold, reason: ReasonCanaryNotPassing, says: []string{"critical", "HTTP GET: 503"},
		},
		"a canary that only warns is not passing": {
			changes: []change{func(s *model.Snapshot) { registrationOf(s, firstCanary(s)).Status = model.StatusWarning }},
			verb:    model.Hold, reason: ReasonCanaryNotPassing,
		},
		"a canary whose check is missing in the catalog": {
			changes: []change{func(s *model.Snapshot) {
				r := registrationOf(s, firstCanary(s))
				r.Checks = r.Checks[1:]
			}},
			verb: model.Hold, reason: ReasonCanaryNotPassing, says: []string{"no check"},
		},
		"a router that was disabled": {
			changes: []change{proxy(1, func(p *model.Proxy) { p.Routing.Value.Routers[0].Status = "disabled" })},
			verb:    model.Hold, reason: ReasonRouterVanished, says: []string{"10.0.0.2:8080"},
		},
		"a service that was disabled": {
			changes: []change{proxy(1, func(p *model.Proxy) { p.Routing.Value.Services[0].Status = "disabled" })},
			verb:    model.Hold, reason: ReasonRouterVanished,
		},
		"a router of another provider does not count": {
			changes: []change{proxy(1, func(p *model.Proxy) { p.Routing.Value.Routers[0].Provider = "file" })},
			verb:    model.Hold, reason: ReasonRouterVanished,
		},
		"a proxy that lists no old instance": {
			changes: []change{func(s *model.Snapshot) { unlist(s, 1, firstOld(s)) }},
			verb:    model.Hold, reason: ReasonOldNotListed,
		},
		"a canary whose tags Traefik refuses": {
			changes: []change{func(s *model.Snapshot) {
				unlist(s, 1, firstCanary(s))
				id := registrationOf(s, firstCanary(s)).ServiceID
				s.Proxies.Value[1].Tags[id] = model.TagReading{Err: "field not found: retri"}
			}},
			verb: model.Hold, reason: ReasonTagsRefused, says: []string{"field not found: retri"},
		},
		"a canary that canary_tags route elsewhere": {
			changes: []change{func(s *model.Snapshot) {
				unlist(s, 0, firstCanary(s))
				r := registrationOf(s, firstCanary(s))
				hp := addresses(&s.Proxies.Value[0], *r)[0]
				routing := &s.Proxies.Value[0].Routing.Value
				routing.Services = append(routing.Services, model.ProxyService{Name: "preview@consulcatalog", Provider: model.ProviderConsulCatalog,
					Status: model.StatusEnabled, Servers: []model.Server{{HostPort: hp, Weight: 1}}})
				routing.Routers = append(routing.Routers, model.Router{Name: "preview@consulcatalog", Provider: model.ProviderConsulCatalog,
					Status: model.StatusEnabled, Service: "preview@consulcatalog"})
			}},
			verb: model.Hold, reason: ReasonCanaryOtherRouter, says: []string{"preview@consulcatalog", "group0@consulcatalog", "canary_tags"},
		},
		"one of two proxies does not list the canary": {
			changes: []change{func(s *model.Snapshot) { unlist(s, 1, firstCanary(s)) }},
			verb:    model.Hold, reason: ReasonCanaryNotListed, says: []string{"10.0.0.2:8080", "15s"},
		},
		"a canary listed with weight 0 gets no requests": {
			changes: []change{proxy(0, func(p *model.Proxy) {
				for i := range p.Routing.Value.Services[0].Servers {
					p.Routing.Value.Services[0].Servers[i].Weight = 0
				}
			})},
			verb: model.Hold, reason: ReasonCanaryNotListed,
		},
		"watch mode has no bound": {
			changes: []change{proxy(0, func(p *model.Proxy) { p.Settings.Value.Watch = true })},
			verb:    model.Hold, reason: ReasonDrainUnknown, says: []string{"180s"},
		},
		"stale reads have no bound": {
			changes: []change{proxy(0, func(p *model.Proxy) { p.Settings.Value.Stale = true })},
			verb:    model.Hold, reason: ReasonDrainUnknown,
		},
		"an unmeasured load has no bound": {
			changes: []change{func(s *model.Snapshot) { s.Load = model.Fact[model.Load]{} }},
			verb:    model.Hold, reason: ReasonDrainUnknown,
		},
		"a load measured long ago has no bound": {
			changes: []change{func(s *model.Snapshot) { s.Load.At = s.Load.At.Add(-2 * time.Minute) }},
			verb:    model.Hold, reason: ReasonDrainUnknown,
		},
		"a declared drain that is not a duration": {
			changes: []change{oldJob(func(j *model.Job) { j.Meta["draingate_drain"] = "six" })},
			verb:    model.Hold, reason: ReasonDrainUnknown, says: []string{`"six"`},
		},
		"too short a delay that retry hides": {
			world: world{groups: 1, olds: 1, canaries: 1, proxies: 1, refresh: 15 * time.Second},
			changes: []change{proxy(0, func(p *model.Proxy) {
				for id, r := range p.Tags {
					r.Retry = &model.Retry{Name: "again", Attempts: 4}
					p.Tags[id] = r
				}
			})},
			verb: model.Hold, reason: ReasonDrainMasked, says: []string{"4 attempts"},
		},
		"no delay at all names S, T and the delay that would do": {
			world: world{groups: 1, olds: 1, canaries: 1, proxies: 1, refresh: 15 * time.Second},
			verb:  model.Hold, reason: ReasonDrainUnsafe, says: []string{"S = 0s", "T = 17.52s", `group shutdown_delay = "19s"`, "first take them out", "-service=_nomad-task-c0"},
		},
		"a canary with a delay of its own needs not be taken out first": {
			changes: []change{oldJob(func(j *model.Job) { j.Groups[0].ShutdownDelay = 0 })},
			verb:    model.Hold, reason: ReasonDrainUnsafe, says: []string{"Cure: submit the running version"},
		},
		"a longest request needs time on top": {
			changes: []change{oldJob(func(j *model.Job) { j.Meta["draingate_max_request"] = "3s" })},
			verb:    model.Hold, reason: ReasonDrainUnsafe, says: []string{"L 3s", `"22s"`},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.world == (world{}) {
				c.world = ready()
			}
			d, _ := run(c.world, 10*time.Second, c.changes...)
			require.Equal(t, c.reason, d.Reason, d.Message)
			require.Equal(t, c.verb, d.Verb)
			for _, s := range c.says {
				// A dollar sign stands for the end of the message.
				require.Contains(t, d.Message+"$", s)
			}
		})
	}
}

func TestPromoteNamesEveryGroup(t *testing.T) {
	w := ready()
	w.groups = 3
	d, _ := run(w, 10*time.Second)
	if diff := cmp.Diff([]string{"group0", "group1", "group2"}, d.Groups); diff != "" {
		t.Fatalf("groups to promote (-want +got):\n%s", diff)
	}
	d, _ = run(w, 10*time.Second, func(s *model.Snapshot) { s.Allocations.Value[5].Health = model.HealthUnset })
	require.Equal(t, ReasonCanaryNotHealthy, d.Reason, "one group that is not ready holds them all")
	require.Empty(t, d.Groups)
}

func TestActsOnlyOnEnforce(t *testing.T) {
	for mode, acts := range map[string]bool{"enforce": true, "observe": false} {
		d, _ := run(ready(), 10*time.Second, newJob(func(j *model.Job) { j.Meta[MetaMode] = mode }))
		require.Equal(t, model.Promote, d.Verb)
		require.Equal(t, acts, Acts(d), mode)
	}
	d, _ := run(ready(), 10*time.Second, newJob(func(j *model.Job) { j.Meta = nil }))
	require.Equal(t, model.ModeObserve, d.Mode, "a job that says nothing is observed")
	require.False(t, Acts(d))
	d, _ = run(ready(), 10*time.Second, newJob(func(j *model.Job) {
		j.Groups = append(j.Groups, model.Group{Name: "other", Meta: map[string]string{MetaMode: "observe"}})
	}))
	require.Equal(t, model.ModeObserve, d.Mode, "the most cautious group decides for the job")
	d, _ = run(ready(), 10*time.Second, newJob(func(j *model.Job) {
		j.Meta = map[string]string{MetaMode: "observe"}
		j.Groups = append(j.Groups, model.Group{Name: "other", Meta: map[string]string{MetaMode: "enforce"}})
	}))
	require.Equal(t, model.ModeObserve, d.Mode, "whichever group comes last")
}

func TestReasonsAreUniqueAndListed(t *testing.T) {
	seen := map[model.Reason]bool{}
	for _, r := range Reasons() {
		require.NotEmpty(t, r.Reason)
		require.False(t, seen[r.Reason], "reason %s stands twice", r.Reason)
		seen[r.Reason] = true
	}
	require.Len(t, HoldReasons(), len(Reasons())-len(settled)-4)
}
