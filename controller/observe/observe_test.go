package observe

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

func TestObserveReadsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.deploy()
		w.traefik(url1, start(1))
		w.delays["deployment"] = 100 * time.Millisecond
		w.delays["job"] = 50 * time.Millisecond
		o := newObserver(t, w, Options{TraefikURLs: []string{url1 + "/"}})
		begin := time.Now()
		s := o.Observe(t.Context(), key)

		require.Equal(t, key, s.Key)
		require.False(t, s.Gone)
		require.Equal(t, model.Seen(*w.deployment, begin), s.Deployment)
		require.Equal(t, model.Seen(*w.job, begin.Add(100*time.Millisecond)), s.Job, "the time is when the read began")
		require.Len(t, s.Allocations.Value, 3)
		require.Equal(t, model.Seen(model.Overrides{Values: map[string]string{"job": "web"}}, begin.Add(100*time.Millisecond)), s.Overrides)
		require.Equal(t, []string{"old-name", "web"}, slices.Sorted(maps.Keys(s.Catalog)),
			"the services of all versions that run, of provider consul")
		require.Equal(t, begin.Add(150*time.Millisecond), s.Catalog["web"].At)
		require.Equal(t, "eu dc1", s.Region+" "+s.Datacenter)
		require.Empty(t, s.RegionErr)
		require.False(t, s.Load.Known(), "nobody measured a load yet")

		require.True(t, s.Proxies.Known())
		require.Len(t, s.Proxies.Value, 1)
		p := s.Proxies.Value[0]
		require.Equal(t, "10.0.0.1:8080 "+url1+" 3.6.12", p.Name+" "+p.URL+" "+p.Version)
		require.Equal(t, model.Seen(start(1), begin), p.Started)
		require.True(t, p.Settings.Known())
		require.Len(t, p.Routing.Value.Routers, 1)
		require.Equal(t, map[string]model.TagReading{
			"s1": {Exposed: true, Excluded: url1, Routers: []string{"s1"}},
			"s2": {Exposed: true, Excluded: url1, Routers: []string{"s2"}},
		}, p.Tags, "each proxy reads the tags with its own settings")
		require.Empty(t, p.Ambiguous)
	})
}

func TestADeploymentThatNomadForgotIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := newObserver(t, w, Options{TraefikURLs: []string{url1}}).Observe(t.Context(), key)
		require.True(t, s.Gone)
		require.False(t, s.Deployment.Known(), "who does not look at Gone must hold")
		require.False(t, s.Job.Known())
		w.failures["deployment"] = errors.New("no answer")
		s = newObserver(t, w, Options{TraefikURLs: []string{url1}}).Observe(t.Context(), key)
		require.False(t, s.Gone, "a failed read does not mean gone")
		require.Equal(t, "no answer", s.Deployment.Err)
	})
}

func TestAPartThatFailsAbortsNoOther(t *testing.T) {
	for _, part := range []string{
		"job", "allocations", "overrides", "agent", "service web", "version " + url1, "routing " + url1, "settings " + url1,
	} {
		for how, late := range map[string]bool{"fails": false, "never answers": true} {
			t.Run(part+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					w.deploy()
					w.traefik(url1, start(1))
					w.traefik(url2, start(2))
					// No two timers may end at one time, or chance decides.
					w.delays["version "+url1] = time.Millisecond
					if late {
						w.delays[part] = time.Hour
					} else {
						w.failures[part] = errors.New("it\nfailed")
					}
					o := newObserver(t, w, Options{TraefikURLs: []string{url1, url2}})
					begin := time.Now()
					s := o.Observe(t.Context(), key)
					require.LessOrEqual(t, time.Since(begin), DefaultPassTimeout)
					want := part
					if late && (strings.HasPrefix(part, "routing") || strings.HasPrefix(part, "settings")) {
						want = "version " + url1 // who was asked cannot be made sure of
					}
					require.Equal(t, []string{want}, unknownParts(s), "exactly that part is not known")
				})
			})
		}
	}
}

// unknownParts names what is not known in a snapshot of two proxies, folding
// what cannot be known for the same cause.
func unknownParts(s model.Snapshot) []string {
	var out []string
	add := func(name, err string) {
		if err == "" {
			return
		}
		out = append(out, name)
	}
	add("deployment", s.Deployment.Err)
	add("job", s.Job.Err)
	add("allocations", s.Allocations.Err)
	add("overrides", s.Overrides.Err)
	add("agent", s.RegionErr)
	for _, name := range slices.Sorted(maps.Keys(s.Catalog)) {
		add("service "+name, s.Catalog[name].Err)
	}
	add("proxies", s.Proxies.Err)
	for _, p := range s.Proxies.Value {
		if p.Started.Err != "" {
			out = append(out, "version "+p.URL)
			continue
		}
		add("routing "+p.URL, p.Routing.Err)
		add("settings "+p.URL, p.Settings.Err)
	}
	return out
}

func TestAllReadsOfAPassEndInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.deploy()
		w.traefik(url1, start(1))
		for _, name := range []string{"deployment", "job", "allocations", "service web", "service old-name"} {
			w.delays[name] = 700 * time.Millisecond
		}
		o := newObserver(t, w, Options{TraefikURLs: []string{url1}})
		begin := time.Now()
		s := o.Observe(t.Context(), key)
		require.Equal(t, DefaultPassTimeout, time.Since(begin))
		require.True(t, s.Deployment.Fresh(time.Now(), 2*time.Second))
		require.True(t, s.Job.Known())
		require.Contains(t, s.Catalog["web"].Err, "deadline", "the last reads ran out of time")
	})
}

func TestAServiceNameThatIsInterpolatedIsNotKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.deploy()
		w.job.Groups = []model.Group{service("${NOMAD_META_name}", "")}
		s := newObserver(t, w, Options{TraefikURLs: []string{url1}}).Observe(t.Context(), key)
		require.Contains(t, s.Catalog["${NOMAD_META_name}"].Err, "write it out")
	})
}

func TestAnUnknownVersionOfTheJobIsNotKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.deploy()
		w.job = nil
		w.allocations = w.allocations[:2]
		s := newObserver(t, w, Options{TraefikURLs: []string{url1}}).Observe(t.Context(), key)
		require.Contains(t, s.Job.Err, "no version 2 of job web")
		require.True(t, s.Catalog["old-name"].Known())
	})
}

func TestDeploymentsShareTheProxies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.deploy()
		w.traefik(url1, start(1))
		w.delays["routing "+url1] = 200 * time.Millisecond
		o := newObserver(t, w, Options{TraefikURLs: []string{url1}})
		begin := time.Now()
		var passes sync.WaitGroup
		for range 20 {
			passes.Go(func() {
				s := o.Observe(t.Context(), key)
				require.Equal(t, begin, s.Proxies.At)
				s.Proxies.Value[0].Tags["mine"] = model.TagReading{}
				s.Proxies.Value[0].Name = "mine"
			})
		}
		passes.Wait()
		require.Equal(t, 1, w.called("routing "+url1), "one reading for all that asked at one time")
		again := o.Proxies(t.Context())
		require.Equal(t, begin, again.At, "and for those who ask within the maximum age")
		require.Equal(t, "10.0.0.1:8080", again.Value[0].Name, "what a pass does to its copy stays there")
		require.Nil(t, again.Value[0].Tags)
		time.Sleep(DefaultProxyMaxAge)
		require.NotEqual(t, begin, o.Proxies(t.Context()).At)
		require.Equal(t, 2, w.called("routing "+url1))
	})
}

func TestACallerThatGivesUpDoesNotSpoilTheReadingForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.traefik(url1, start(1))
		w.delays["routing "+url1] = 200 * time.Millisecond
		o := newObserver(t, w, Options{TraefikURLs: []string{url1}})
		ctx, cancel := context.WithCancel(t.Context())
		var both sync.WaitGroup
		both.Go(func() {
			first := o.Proxies(ctx)
			require.False(t, first.Value[0].Routing.Known())
		})
		synctest.Wait()
		both.Go(func() {
			second := o.Proxies(t.Context())
			require.True(t, second.Value[0].Routing.Known())
		})
		synctest.Wait()
		cancel()
		both.Wait()
		require.Equal(t, 2, w.called("routing "+url1))
	})
}

func TestLoadIsMeasuredBesideThePasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.deploy()
		w.traefik(url1, start(1))
		w.delays["load"] = 5 * time.Second
		o := newObserver(t, w, Options{TraefikURLs: []string{url1}})
		ctx, cancel := context.WithCancel(t.Context())
		running := make(chan error)
		go func() { running <- o.Run(ctx) }()

		begin := time.Now()
		require.False(t, o.Observe(ctx, key).Load.Known())
		require.Equal(t, begin, time.Now(), "a slow load holds up no pass")
		time.Sleep(6 * time.Second)
		s := o.Observe(ctx, key)
		require.Equal(t, model.Seen(model.Load{Services: 3, Took: 5 * time.Second}, begin), s.Load)
		for range 30 {
			time.Sleep(100 * time.Millisecond)
			require.Equal(t, begin, o.Observe(ctx, key).Load.At)
		}
		require.Equal(t, 1, w.called("load"), "not more often than every ten seconds")

		w.change(func() { w.failures["load"] = errors.New("no leader") })
		time.Sleep(10 * time.Second)
		o.Observe(ctx, key)
		time.Sleep(6 * time.Second)
		require.Equal(t, begin, o.Observe(ctx, key).Load.At, "a failure keeps the older value, which tells its age")
		require.Equal(t, 2, w.called("load"))
		cancel()
		require.NoError(t, <-running)
	})
}

func TestLoadThatCannotBeMeasuredSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.failures["load"] = errors.New("no leader")
		o := newObserver(t, w, Options{TraefikURLs: []string{url1}})
		ctx, cancel := context.WithCancel(t.Context())
		running := make(chan error)
		go func() { running <- o.Run(ctx) }()
		o.Observe(ctx, key)
		synctest.Wait()
		require.Equal(t, "no leader", o.Observe(ctx, key).Load.Err)
		w.change(func() { delete(w.failures, "load") })
		time.Sleep(retryLoad)
		o.Observe(ctx, key)
		synctest.Wait()
		require.True(t, o.Observe(ctx, key).Load.Known())
		cancel()
		require.NoError(t, <-running)
	})
}

func TestAnAnswerThatComesTooLateIsNotKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		fact := read(t.Context(), time.Second, func(context.Context) (int, error) {
			time.Sleep(1100 * time.Millisecond) // deaf to the context
			return 1, nil
		})
		require.Equal(t, model.Unseen[int](begin, "context deadline exceeded"), fact)
	})
}
