package gate

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/draingate/draingate/controller/model"
)

// worlds draws a world in which everything is as it should be.
func worlds(t *rapid.T) world {
	w := world{
		groups: rapid.IntRange(1, 3).Draw(t, "groups"), olds: rapid.IntRange(1, 4).Draw(t, "olds"),
		canaries: rapid.IntRange(1, 3).Draw(t, "canaries"), proxies: rapid.IntRange(1, 3).Draw(t, "proxies"),
		refresh: time.Duration(rapid.IntRange(1, 60).Draw(t, "refresh")) * time.Second,
	}
	w.delay = w.refresh + 4*time.Second + time.Duration(rapid.IntRange(0, 10_000).Draw(t, "extra"))*time.Millisecond
	return w
}

// pick draws one allocation, old or canary, of the snapshot.
func pick(t *rapid.T, s *model.Snapshot, canary bool) *model.Allocation {
	var of []int
	for i, a := range s.Allocations.Value {
		if a.Canary == canary {
			of = append(of, i)
		}
	}
	return &s.Allocations.Value[rapid.SampledFrom(of).Draw(t, "allocation")]
}

func pickProxy(t *rapid.T, s *model.Snapshot) *model.Proxy {
	return &s.Proxies.Value[rapid.IntRange(0, len(s.Proxies.Value)-1).Draw(t, "proxy")]
}

// hostile are the ways to make one required fact missing, stale,
// contradictory or false. Each must, alone, keep any deployment from being
// promoted.
func hostile() map[string]func(*rapid.T, *model.Snapshot) {
	stale := func(at *time.Time) { *at = at.Add(-MaxAge - time.Millisecond) }
	return map[string]func(*rapid.T, *model.Snapshot){
		"deployment missing":  func(_ *rapid.T, s *model.Snapshot) { s.Deployment = model.Fact[model.Deployment]{} },
		"deployment stale":    func(_ *rapid.T, s *model.Snapshot) { stale(&s.Deployment.At) },
		"deployment future":   func(_ *rapid.T, s *model.Snapshot) { s.Deployment.At = s.Deployment.At.Add(time.Hour) },
		"deployment failed":   func(_ *rapid.T, s *model.Snapshot) { s.Deployment.Err = "500" },
		"deployment of other": func(_ *rapid.T, s *model.Snapshot) { s.Deployment.Value.ID = allocID("dead") },
		"deployment gone":     func(_ *rapid.T, s *model.Snapshot) { s.Gone = true },
		"deployment not running": func(t *rapid.T, s *model.Snapshot) {
			s.Deployment.Value.Status = rapid.SampledFrom([]string{"", "paused", "failed", "successful", "cancelled", "pending", "blocked", "unblocking", "initializing", "new word"}).Draw(t, "status")
		},
		"job missing":         func(_ *rapid.T, s *model.Snapshot) { s.Job = model.Fact[model.Job]{} },
		"job stale":           func(_ *rapid.T, s *model.Snapshot) { stale(&s.Job.At) },
		"job version differs": func(_ *rapid.T, s *model.Snapshot) { s.Job.Value.Version++ },
		"job without group":   func(_ *rapid.T, s *model.Snapshot) { s.Job.Value.Groups = s.Job.Value.Groups[1:] },
		"job of another type": func(t *rapid.T, s *model.Snapshot) {
			s.Job.Value.Type = rapid.SampledFrom([]string{"", "system", "batch", "sysbatch"}).Draw(t, "type")
		},
		"job elsewhere":     func(_ *rapid.T, s *model.Snapshot) { s.Job.Value.Region = "other" },
		"overrides missing": func(_ *rapid.T, s *model.Snapshot) { s.Overrides = model.Fact[model.Overrides]{} },
		"overrides stale":   func(_ *rapid.T, s *model.Snapshot) { stale(&s.Overrides.At) },
		"overridden": func(t *rapid.T, s *model.Snapshot) {
			key := rapid.SampledFrom([]string{"freeze", "mode", "hold_deadline", "on_deadline", "new word"}).Draw(t, "key")
			override("web", key, rapid.StringMatching(`[a-z]{0,5} `).Draw(t, "value"))(s)
		},
		"allocations missing": func(_ *rapid.T, s *model.Snapshot) { s.Allocations = model.Fact[[]model.Allocation]{} },
		"allocations stale":   func(_ *rapid.T, s *model.Snapshot) { stale(&s.Allocations.At) },
		"old job missing":     func(t *rapid.T, s *model.Snapshot) { pick(t, s, false).Job = nil },
		"old delay too short": func(t *rapid.T, s *model.Snapshot) {
			a := pick(t, s, false)
			a.Job.Group(a.Group).ShutdownDelay = s.Proxies.Value[0].Settings.Value.RefreshInterval + 3*time.Second
		},
		"old drain mistyped": func(t *rapid.T, s *model.Snapshot) { pick(t, s, false).Job.Meta["draingate_drain"] = "-1s" },
		"old L mistyped":     func(t *rapid.T, s *model.Snapshot) { pick(t, s, false).Job.Meta["draingate_max_request"] = "soon" },
		"old not registered": func(t *rapid.T, s *model.Snapshot) { unregister(s, pick(t, s, false)) },
		"old moving":         func(t *rapid.T, s *model.Snapshot) { pick(t, s, false).Migrating = true },
		"old on a lost node": func(t *rapid.T, s *model.Snapshot) { pick(t, s, false).ClientStatus = model.ClientUnknown },
		"canary moving":      func(t *rapid.T, s *model.Snapshot) { pick(t, s, true).Migrating = true },
		"canary gone": func(t *rapid.T, s *model.Snapshot) {
			a := pick(t, s, true)
			a.ClientStatus = rapid.SampledFrom([]string{"", "pending", "complete", "failed", "lost", "unknown"}).Draw(t, "client status")
		},
		"canary told to stop": func(t *rapid.T, s *model.Snapshot) { pick(t, s, true).DesiredStatus = model.DesiredStop },
		"canary not healthy": func(t *rapid.T, s *model.Snapshot) {
			pick(t, s, true).Health = rapid.SampledFrom([]model.Health{model.HealthUnset, model.HealthFalse}).Draw(t, "health")
		},
		"canary not registered": func(t *rapid.T, s *model.Snapshot) { unregister(s, pick(t, s, true)) },
		"canary not passing": func(t *rapid.T, s *model.Snapshot) {
			registrationOf(s, pick(t, s, true)).Status = rapid.SampledFrom([]string{"", "warning", "critical", "maintenance", "new word"}).Draw(t, "status")
		},
		"canary without check": func(t *rapid.T, s *model.Snapshot) { registrationOf(s, pick(t, s, true)).Checks = nil },
		"canary not listed": func(t *rapid.T, s *model.Snapshot) {
			unlist(s, rapid.IntRange(0, len(s.Proxies.Value)-1).Draw(t, "proxy"), pick(t, s, true))
		},
		"canary shares an address": func(t *rapid.T, s *model.Snapshot) {
			canary := pick(t, s, true)
			for i, a := range s.Allocations.Value {
				if !a.Canary && a.Group == canary.Group {
					registrationOf(s, canary).Port = registrationOf(s, &s.Allocations.Value[i]).Port
					return
				}
			}
		},
		"catalog missing": func(t *rapid.T, s *model.Snapshot) { delete(s.Catalog, pick(t, s, true).Group) },
		"catalog stale": func(t *rapid.T, s *model.Snapshot) {
			name := pick(t, s, true).Group
			fact := s.Catalog[name]
			stale(&fact.At)
			s.Catalog[name] = fact
		},
		"proxy set missing": func(_ *rapid.T, s *model.Snapshot) { s.Proxies = model.Fact[[]model.Proxy]{} },
		"proxy set stale":   func(_ *rapid.T, s *model.Snapshot) { stale(&s.Proxies.At) },
		"proxy set empty":   func(_ *rapid.T, s *model.Snapshot) { s.Proxies.Value = nil },
		"proxy silent": func(t *rapid.T, s *model.Snapshot) {
			p := pickProxy(t, s)
			p.Started = model.Unseen[time.Time](s.Job.At, "refused")
		},
		"proxy stale":           func(t *rapid.T, s *model.Snapshot) { stale(&pickProxy(t, s).Routing.At) },
		"proxy routing missing": func(t *rapid.T, s *model.Snapshot) { pickProxy(t, s).Routing = model.Fact[model.Routing]{} },
		"proxy ambiguous":       func(t *rapid.T, s *model.Snapshot) { pickProxy(t, s).Ambiguous = "two processes" },
		"proxy without settings": func(t *rapid.T, s *model.Snapshot) {
			pickProxy(t, s).Settings = model.Fact[model.ProxySettings]{}
		},
		"proxy not predictable": func(t *rapid.T, s *model.Snapshot) {
			set := &pickProxy(t, s).Settings.Value
			rapid.SampledFrom([]func(){
				func() { set.Watch = true }, func() { set.Stale = true }, func() { set.Cache = true },
				func() { set.RefreshInterval = 0 }, func() { set.ConsulCatalog = false }, func() { set.Throttle = -1 },
			}).Draw(t, "setting")()
		},
		"proxy slower than the delay": func(t *rapid.T, s *model.Snapshot) {
			pickProxy(t, s).Settings.Value.RefreshInterval = time.Hour
		},
		"router off": func(t *rapid.T, s *model.Snapshot) { pickProxy(t, s).Routing.Value.Routers[0].Status = "disabled" },
		"service off": func(t *rapid.T, s *model.Snapshot) {
			pickProxy(t, s).Routing.Value.Services[0].Status = "warning"
		},
		"load missing": func(_ *rapid.T, s *model.Snapshot) { s.Load = model.Fact[model.Load]{} },
		"auto promote": func(_ *rapid.T, s *model.Snapshot) { s.Job.Value.Groups[0].Update.AutoPromote = true },
		"mode mistyped": func(_ *rapid.T, s *model.Snapshot) {
			s.Job.Value.Meta[MetaMode] = "yes"
		},
	}
}

// One hostile fact in the last snapshot, after a window that was complete, is
// enough: never Promote.
func TestPropOneHostileFactNeverPromotes(t *testing.T) {
	attacks := hostile()
	names := make([]string, 0, len(attacks))
	for name := range attacks {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		w := worlds(t)
		d, m := run(w, 6*time.Second)
		if d.Verb != model.Promote {
			t.Fatalf("the good world is not promoted: %s %s", d.Reason, d.Message)
		}
		var done []string
		d, _ = evaluate(w, m, start.Add(6500*time.Millisecond), func(s *model.Snapshot) {
			for range rapid.IntRange(1, 3).Draw(t, "attacks") {
				name := rapid.SampledFrom(names).Draw(t, "attack")
				done = append(done, name)
				if len(done) > 1 && !intact(s) {
					return
				}
				attacks[name](t, s)
			}
		})
		if d.Verb == model.Promote {
			t.Fatalf("promoted in spite of %v: %s", done, d.Message)
		}
	})
}

// intact reports whether another attack still finds what it reaches for.
func intact(s *model.Snapshot) bool {
	for _, p := range s.Proxies.Value {
		if len(p.Routing.Value.Services) == 0 || len(p.Routing.Value.Routers) == 0 {
			return false
		}
	}
	for i := range s.Allocations.Value {
		a := &s.Allocations.Value[i]
		if a.Job == nil || registrationOf(s, a) == nil {
			return false
		}
	}
	return len(s.Proxies.Value) > 0 && len(s.Allocations.Value) > 0 && len(s.Job.Value.Groups) > 0
}

// However the facts come and go, Promote is answered only where an unbroken
// run of good passes, at least as long as the window, ends in this one.
func TestPropPromoteNeedsAnUnbrokenWindow(t *testing.T) {
	attacks := hostile()
	names := []string{"canary not passing", "canary not listed", "proxy silent", "canary not healthy", "deployment stale"}
	rapid.Check(t, func(t *rapid.T) {
		w := worlds(t)
		var m Memory
		var d model.Decision
		now, good := start, time.Time{}
		var last time.Time
		for range 40 {
			step := time.Duration(rapid.IntRange(100, 2600).Draw(t, "step")) * time.Millisecond
			now = now.Add(step)
			bad := rapid.IntRange(0, 9).Draw(t, "bad") == 0
			d, m = evaluate(w, m, now, func(s *model.Snapshot) {
				if bad {
					attacks[rapid.SampledFrom(names).Draw(t, "attack")](t, s)
				}
			})
			switch {
			case bad:
				good = time.Time{}
			case good.IsZero() || now.Sub(last) > MaxAge:
				good = now
			}
			last = now
			if d.Verb == model.Promote && (bad || now.Sub(good) < MinWindow) {
				t.Fatalf("promoted %s into a run of good passes", now.Sub(good))
			}
			if d.Verb == model.Hold && !bad && now.Sub(good) >= MinWindow {
				t.Fatalf("held after %s of good passes: %s", now.Sub(good), d.Message)
			}
		}
	})
}

// An independent reading of the two invariants, written without the chain:
// over snapshots in which every field may be anything, Promote implies both.
func TestPropPromoteImpliesTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := worlds(t)
		w.delay = time.Duration(rapid.IntRange(0, 70).Draw(t, "delay")) * time.Second
		scramble := func(s *model.Snapshot) {}
		if rapid.Bool().Draw(t, "scramble") {
			drop, of := rapid.IntRange(0, w.proxies-1).Draw(t, "drop from"), rapid.IntRange(0, 20).Draw(t, "server")
			scramble = func(s *model.Snapshot) {
				services := s.Proxies.Value[drop].Routing.Value.Services
				if n := len(services[0].Servers); of < n {
					services[0].Servers = slices.Delete(services[0].Servers, of, of+1)
				}
			}
		}
		d, _ := run(w, 6*time.Second, scramble)
		if d.Verb != model.Promote {
			return
		}
		s := w.snapshot(start)
		scramble(&s)
		if err := invariants(s, w); err != nil {
			t.Fatal(err)
		}
	})
}

func invariants(s model.Snapshot, w world) error {
	for _, a := range s.Allocations.Value {
		if !a.Canary && w.delay < w.refresh+2*time.Second {
			return fmt.Errorf("old allocation %s serves %s and the proxies need more than %s", a.ID, w.delay, w.refresh+2*time.Second)
		}
		for _, p := range s.Proxies.Value {
			r := registrationOf(&s, &a)
			hp := net.JoinHostPort(r.Address, strconv.Itoa(r.Port))
			in := slices.ContainsFunc(p.Routing.Value.Services, func(svc model.ProxyService) bool { return lists(svc, map[string]bool{hp: true}) })
			if a.Canary && !in {
				return fmt.Errorf("canary %s is not in the pool of %s", a.ID, p.Name)
			}
		}
	}
	return nil
}
