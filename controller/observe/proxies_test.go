package observe

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// pass reads the proxies anew and returns them by URL.
func pass(t *testing.T, o *Observer) (model.Fact[[]model.Proxy], map[string]model.Proxy) {
	t.Helper()
	time.Sleep(DefaultProxyMaxAge + time.Millisecond)
	fact := o.Proxies(t.Context())
	byURL := make(map[string]model.Proxy)
	for _, p := range fact.Value {
		byURL[p.URL] = p
	}
	return fact, byURL
}

// bubble runs a test with an observer of the service traefik.
func bubble(t *testing.T, options Options, test func(t *testing.T, w *world, o *Observer)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		test(t, w, newObserver(t, w, options))
	})
}

var byService = Options{TraefikServices: []string{"traefik"}}

func TestProxySetIsEveryInstanceWhateverItsHealthAndEveryURL(t *testing.T) {
	options := Options{TraefikServices: []string{"traefik"}, TraefikURLs: []string{"http://10.0.0.1:8080", "https://edge.example/traefik/"}}
	bubble(t, options, func(t *testing.T, w *world, o *Observer) {
		w.register(instanceOf(1, "a1", model.StatusCritical), instanceOf(2, "", model.StatusMaintenance))
		w.traefik(url1, start(1))
		w.traefik(url2, start(2))
		fact, proxies := pass(t, o)
		require.True(t, fact.Known())
		require.Len(t, proxies, 3, "an instance that is also given counts once")
		require.True(t, proxies[url1].Started.Known())
		require.Equal(t, "a1", proxies[url1].AllocID)
		require.Equal(t, "edge.example:443", proxies["https://edge.example:443/traefik"].Name)
		require.False(t, proxies["https://edge.example:443/traefik"].Started.Known(), "one that cannot be read is in the set")
	})
}

func TestProxySetThatIsNotComplete(t *testing.T) {
	t.Run("nothing is configured", func(t *testing.T) {
		bubble(t, Options{}, func(t *testing.T, _ *world, o *Observer) {
			fact, _ := pass(t, o)
			require.Contains(t, fact.Err, "no Traefik is known")
		})
	})
	t.Run("a service has no instance although a URL is given", func(t *testing.T) {
		bubble(t, Options{TraefikServices: []string{"traefik"}, TraefikURLs: []string{url1}}, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(1))
			fact, _ := pass(t, o)
			require.Contains(t, fact.Err, `"traefik" has no instance`)
		})
	})
	t.Run("Consul does not answer", func(t *testing.T) {
		bubble(t, byService, func(t *testing.T, w *world, o *Observer) {
			w.register(instanceOf(1, "a1", "passing"))
			w.traefik(url1, start(1))
			fact, _ := pass(t, o)
			require.True(t, fact.Known())
			w.change(func() { w.failures["service traefik"] = errors.New("no leader") })
			fact, _ = pass(t, o)
			require.Equal(t, "no leader", fact.Err)
		})
	})
}

func TestAnInstanceThatLeftConsulStaysUntilItsAllocationEnded(t *testing.T) {
	bubble(t, byService, func(t *testing.T, w *world, o *Observer) {
		w.register(instanceOf(1, "a1", "passing"), instanceOf(2, "a2", "passing"))
		w.traefik(url1, start(1))
		w.traefik(url2, start(2))
		w.ended["a1"], w.ended["a2"] = false, false
		pass(t, o)
		w.register(instanceOf(2, "a2", "passing"))
		_, proxies := pass(t, o)
		require.True(t, proxies[url1].Routing.Known(), "in its shutdown_delay it still routes")

		w.change(func() { delete(w.traefiks, url1) })
		_, proxies = pass(t, o)
		require.Contains(t, proxies[url1].Started.Err, "its allocation a1 has not ended")

		w.change(func() { w.failures["terminal a1"] = errors.New("no answer") })
		_, proxies = pass(t, o)
		require.Contains(t, proxies[url1].Started.Err, "not known (no answer)")

		w.change(func() { delete(w.failures, "terminal a1"); w.ended["a1"] = true })
		_, proxies = pass(t, o)
		require.NotContains(t, proxies, url1)
		require.Contains(t, proxies, url2)
		require.Zero(t, w.called("terminal a2"), "a proxy that is registered and answers needs no question")
	})
}

func TestAnInstanceThatCannotBeReadIsInTheSetUntilItsAllocationEnded(t *testing.T) {
	bubble(t, byService, func(t *testing.T, w *world, o *Observer) {
		w.traefik(url2, start(2))
		w.ended["a2"] = false
		w.register(instanceOf(1, "a1", "critical"), instanceOf(2, "a2", "passing"))
		_, proxies := pass(t, o)
		require.Contains(t, proxies[url1].Started.Err, "alloc not found", "it may be another cluster's")
		require.Contains(t, proxies[url1].Started.Err, "deregister")
		require.False(t, proxies[url1].Routing.Known())
		require.False(t, proxies[url1].Settings.Known())

		w.change(func() { w.ended["a1"] = true })
		w.register(instanceOf(1, "a1", "passing"), instanceOf(2, "a2", "passing"))
		_, proxies = pass(t, o)
		require.Contains(t, proxies[url1].Started.Err, "passing in Consul", "answers that contradict are not known")

		w.register(instanceOf(1, "a1", "critical"), instanceOf(2, "a2", "passing"))
		_, proxies = pass(t, o)
		require.NotContains(t, proxies, url1)
	})
}

func TestAnInstanceThatNomadDoesNotRun(t *testing.T) {
	bubble(t, byService, func(t *testing.T, w *world, o *Observer) {
		w.traefik(url2, start(2))
		w.register(instanceOf(1, "", "critical"), instanceOf(2, "a2", "passing"))
		_, proxies := pass(t, o)
		require.False(t, proxies[url1].Started.Known(), "unknown for as long as it is in the catalog")
		w.register(instanceOf(2, "a2", "passing"))
		_, proxies = pass(t, o)
		require.NotContains(t, proxies, url1, "it leaves the set when it leaves the catalog")
	})
}

func TestAllInstancesGoneIsNotAnEmptySet(t *testing.T) {
	bubble(t, byService, func(t *testing.T, w *world, o *Observer) {
		w.traefik(url1, start(1))
		w.register(instanceOf(1, "a1", "passing"))
		pass(t, o)
		w.register()
		w.change(func() { w.ended["a1"] = true })
		fact, _ := pass(t, o)
		require.False(t, fact.Known())
	})
}

func TestInstancesThatShareAnAPIAddress(t *testing.T) {
	tests := map[string]struct {
		instances []model.Registration
		ended     map[string]bool
		ambiguous bool
	}{
		"two allocations on one address cannot be told apart": {
			instances: []model.Registration{instanceOf(1, "a1", "passing"), instanceOf(1, "a2", "passing")},
			ended:     map[string]bool{"a1": false, "a2": false}, ambiguous: true,
		},
		"what is left of an allocation that ended does not count": {
			instances: []model.Registration{instanceOf(1, "a1", "critical"), instanceOf(1, "a2", "passing")},
			ended:     map[string]bool{"a1": true, "a2": false},
		},
		"one allocation with two ports is one": {
			instances: []model.Registration{instanceOf(1, "a1", "passing"), instanceOf(1, "a1", "passing")},
			ended:     map[string]bool{"a1": false},
		},
		"two that Nomad does not run cannot be told apart": {
			instances: []model.Registration{
				{ServiceID: "x", ServiceName: "traefik", Address: "10.0.0.1", Port: 8080},
				{ServiceID: "y", ServiceName: "traefik", Address: "10.0.0.1", Port: 8081},
			},
			ambiguous: true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			options := Options{TraefikServices: []string{"traefik"}, API: API{Port: 8080}}
			bubble(t, options, func(t *testing.T, w *world, o *Observer) {
				w.traefik(url1, start(1))
				w.ended = test.ended
				w.register(test.instances...)
				fact, proxies := pass(t, o)
				require.True(t, fact.Known())
				require.Len(t, proxies, 1)
				require.Equal(t, test.ambiguous, proxies[url1].Ambiguous != "", "ambiguous: %q", proxies[url1].Ambiguous)
			})
		})
	}
}

func TestAPIOptionsSayWhereTheAPIIs(t *testing.T) {
	r := model.Registration{Address: "fd00::1", Port: 443}
	require.Equal(t, "https://[fd00::1]:9000/traefik/api", API{Scheme: "https", Port: 9000, BasePath: "/traefik/api/"}.instanceURL(r))
	require.Equal(t, "http://[fd00::1]:443", API{Scheme: "http"}.instanceURL(r))
}

func TestNormalizeURL(t *testing.T) {
	for raw, want := range map[string]string{
		"http://Edge.Example":        "http://edge.example:80",
		"https://edge.example:8443/": "https://edge.example:8443",
		"http://[::1]:8080/a/b/":     "http://[::1]:8080/a/b",
	} {
		got, err := NormalizeURL(raw)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{"", "edge:8080", "http://", "ftp://edge", "http://u:secret@edge", "http://edge?x=1", "http://edge/#x", "http://[::1"} {
		_, err := NormalizeURL(bad)
		require.ErrorContains(t, err, "Traefik URL", bad)
		require.NotContains(t, err.Error(), "secret")
		_, err = New(Ports{}, Options{TraefikURLs: []string{bad}, ReadTags: readTags})
		require.Error(t, err)
	}
}

func TestIdentity(t *testing.T) {
	options := Options{TraefikURLs: []string{url1}}
	t.Run("a restart is another proxy and not ambiguous", func(t *testing.T) {
		bubble(t, options, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(1))
			pass(t, o)
			w.traefik(url1, start(2))
			_, proxies := pass(t, o)
			require.Equal(t, start(2), proxies[url1].Started.Value)
			require.Empty(t, proxies[url1].Ambiguous)
			require.Equal(t, 2, w.called("settings "+url1), "another process may have other settings")
		})
	})
	t.Run("a restart between the reads of one pass makes that pass unknown", func(t *testing.T) {
		bubble(t, options, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(1), start(2))
			_, proxies := pass(t, o)
			p := proxies[url1]
			require.Contains(t, p.Started.Err, "another process answered")
			require.False(t, p.Routing.Known() || p.Settings.Known())
			require.Empty(t, p.Ambiguous)
			_, proxies = pass(t, o)
			require.True(t, proxies[url1].Routing.Known())
			require.Equal(t, 2, w.called("settings "+url1), "what was read meanwhile is not kept")
		})
	})
	t.Run("an address that goes back to an earlier process is ambiguous for ten minutes", func(t *testing.T) {
		bubble(t, options, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(2))
			pass(t, o)
			w.traefik(url1, start(1))
			_, proxies := pass(t, o)
			require.Contains(t, proxies[url1].Ambiguous, "--traefik-url")
			require.True(t, proxies[url1].Routing.Known())
			w.traefik(url1, start(2))
			turned := time.Now()
			for time.Since(turned) < rememberFor-time.Minute {
				time.Sleep(time.Minute)
				_, proxies = pass(t, o)
				require.NotEmpty(t, proxies[url1].Ambiguous, "%s later", time.Since(turned))
			}
			time.Sleep(2 * time.Minute)
			_, proxies = pass(t, o)
			require.Empty(t, proxies[url1].Ambiguous)
		})
	})
	t.Run("a restart after the machine's clock was set back is taken for that, and not for longer than is said", func(t *testing.T) {
		bubble(t, options, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(2))
			pass(t, o)
			w.traefik(url1, start(1))
			began := time.Now()
			_, proxies := pass(t, o)
			require.Contains(t, proxies[url1].Ambiguous, "ends by itself within 20 minutes")
			for proxies[url1].Ambiguous != "" {
				require.Less(t, time.Since(began), 20*time.Minute)
				time.Sleep(time.Second)
				_, proxies = pass(t, o)
			}
			require.Greater(t, time.Since(began), rememberFor)
		})
	})
	t.Run("an address that alternates within a pass is ambiguous", func(t *testing.T) {
		bubble(t, options, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(2), start(1), start(2))
			_, proxies := pass(t, o)
			require.NotEmpty(t, proxies[url1].Ambiguous)
			require.False(t, proxies[url1].Started.Known())
		})
	})
	t.Run("an API that does not tell when it started is not known", func(t *testing.T) {
		bubble(t, options, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, time.Time{})
			_, proxies := pass(t, o)
			require.False(t, proxies[url1].Started.Known())
		})
	})
}

func TestSettings(t *testing.T) {
	file := &model.ProxySettings{Source: "traefik.yml", RefreshInterval: 2 * time.Second}
	contradictions := func(process, file model.ProxySettings) []string {
		return []string{process.RefreshInterval.String() + ", not " + file.RefreshInterval.String()}
	}
	withFile := Options{TraefikURLs: []string{url1}, FileSettings: file, Contradictions: contradictions}
	without := Options{TraefikURLs: []string{url1}}
	t.Run("the process is asked once, and its word is as fresh as its identity", func(t *testing.T) {
		bubble(t, without, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(1))
			pass(t, o)
			_, proxies := pass(t, o)
			require.Equal(t, 1, w.called("settings "+url1))
			require.Equal(t, proxies[url1].Started.At, proxies[url1].Settings.At)
		})
	})
	t.Run("the process's word goes before the file's, and the contradiction is told", func(t *testing.T) {
		bubble(t, withFile, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(1))
			for range 2 {
				_, proxies := pass(t, o)
				require.Equal(t, 15*time.Second, proxies[url1].Settings.Value.RefreshInterval)
				require.Equal(t, []string{"15s, not 2s"}, proxies[url1].Settings.Value.Contradictions)
			}
		})
	})
	t.Run("the file stands in for a process that cannot be asked", func(t *testing.T) {
		bubble(t, withFile, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(1))
			w.failures["settings "+url1] = ErrNoSettings
			_, proxies := pass(t, o)
			require.Equal(t, *file, proxies[url1].Settings.Value)
		})
	})
	t.Run("the file does not stand in for a process that failed to answer", func(t *testing.T) {
		bubble(t, withFile, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(1))
			w.failures["settings "+url1] = errors.New("timeout")
			_, proxies := pass(t, o)
			require.Equal(t, "timeout", proxies[url1].Settings.Err)
			require.True(t, proxies[url1].Routing.Known())
			w.change(func() { delete(w.failures, "settings "+url1) })
			_, proxies = pass(t, o)
			require.Equal(t, "process", proxies[url1].Settings.Value.Source)
		})
	})
	t.Run("settings that another process told are neither used nor kept", func(t *testing.T) {
		bubble(t, without, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(1))
			w.change(func() { w.traefiks[url1].toldBy = start(2) })
			_, proxies := pass(t, o)
			require.Contains(t, proxies[url1].Settings.Err, "another process")
			require.NotEmpty(t, proxies[url1].Ambiguous, "the address went on to a later process and back")
			w.change(func() { w.traefiks[url1].toldBy = time.Time{} })
			pass(t, o)
			require.Equal(t, 2, w.called("settings "+url1))
		})
	})
	t.Run("without a file the cure is named", func(t *testing.T) {
		bubble(t, without, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(1))
			w.failures["settings "+url1] = ErrNoSettings
			_, proxies := pass(t, o)
			require.Contains(t, proxies[url1].Settings.Err, "--traefik-config")
		})
	})
}

func TestSettingsOfAJob(t *testing.T) {
	file := &model.ProxySettings{Source: "traefik.yml", RefreshInterval: 2 * time.Second}
	contradictions := func(first, other model.ProxySettings) []string {
		return []string{first.Source + " and not " + other.Source}
	}
	reads := func(job *model.Job, group string) (model.ProxySettings, error) {
		return model.ProxySettings{Source: job.ID + "/" + group, RefreshInterval: 7 * time.Second}, nil
	}
	riddle := func(*model.Job, string) (model.ProxySettings, error) {
		return model.ProxySettings{}, errors.New("a riddle")
	}
	tests := map[string]struct {
		jobs       func(*model.Job, string) (model.ProxySettings, error)
		file       *model.ProxySettings
		nomadFails bool
		asked      bool
		want       model.ProxySettings
		wantErr    string
	}{
		"the process goes before its job and the file, and both are told of": {
			jobs: reads, file: file, asked: true,
			want: model.ProxySettings{Source: "process", RefreshInterval: 15 * time.Second, Prefix: url1, Contradictions: []string{"process and not job-of-a1/edge", "process and not traefik.yml"}},
		},
		"a job that tells nothing takes nothing from the process's word": {
			jobs: riddle, asked: true, want: model.ProxySettings{Source: "process", RefreshInterval: 15 * time.Second, Prefix: url1},
		},
		"the job stands in for a process that cannot be asked": {
			jobs: reads, want: model.ProxySettings{Source: "job-of-a1/edge", RefreshInterval: 7 * time.Second},
		},
		"the job goes before the file, and the contradiction is told": {
			jobs: reads, file: file,
			want: model.ProxySettings{Source: "job-of-a1/edge", RefreshInterval: 7 * time.Second, Contradictions: []string{"job-of-a1/edge and not traefik.yml"}},
		},
		"a job that is not understood makes the settings unknown": {jobs: riddle, wantErr: "nor does the job that runs it: a riddle"},
		"a job that Nomad does not give makes them unknown":       {jobs: reads, nomadFails: true, wantErr: "nor does the job that runs it: no leader"},
		"beside such a job the file counts, and says so": {
			jobs: riddle, file: file,
			want: model.ProxySettings{Source: "traefik.yml", RefreshInterval: 2 * time.Second,
				Contradictions: []string{"traefik.yml is taken at its word, since the job that runs this Traefik does not tell its settings: a riddle"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			options := Options{TraefikServices: []string{"traefik"}, JobSettings: tt.jobs, FileSettings: tt.file, Contradictions: contradictions}
			bubble(t, options, func(t *testing.T, w *world, o *Observer) {
				w.traefik(url1, start(1))
				w.register(instanceOf(1, "a1", model.StatusPassing))
				if !tt.asked {
					w.failures["settings "+url1] = ErrNoSettings
				}
				if tt.nomadFails {
					w.failures["job of a1"] = errors.New("no leader")
				}
				for range 2 {
					_, proxies := pass(t, o)
					require.Equal(t, tt.wantErr == "", proxies[url1].Settings.Known())
					require.Contains(t, proxies[url1].Settings.Err, tt.wantErr)
					require.Equal(t, tt.want, proxies[url1].Settings.Value)
				}
				if tt.wantErr == "" && tt.file == nil {
					require.Equal(t, 1, w.called("job of a1"), "what is known is kept")
				}
				require.Empty(t, file.Contradictions, "the file itself is shared")
			})
		})
	}
	t.Run("a slow Nomad takes nothing from the other reads", func(t *testing.T) {
		options := Options{TraefikServices: []string{"traefik"}, JobSettings: reads, Contradictions: contradictions}
		bubble(t, options, func(t *testing.T, w *world, o *Observer) {
			w.traefik(url1, start(1))
			w.register(instanceOf(1, "a1", model.StatusPassing))
			w.delays["job of a1"] = time.Minute
			_, proxies := pass(t, o)
			require.Equal(t, "process", proxies[url1].Settings.Value.Source)
			require.True(t, proxies[url1].Routing.Known())
		})
	})
}

func TestTagsOfInstancesWithOneServiceIDAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.deploy()
		w.traefik(url1, start(1))
		w.services["web"] = append(w.services["web"], model.Registration{ServiceID: "s2", ServiceName: "web", Node: "other"})
		s := newObserver(t, w, Options{TraefikURLs: []string{url1}}).Observe(t.Context(), key)
		require.NotEmpty(t, s.Proxies.Value[0].Tags["s2"].Err)
		require.Empty(t, s.Proxies.Value[0].Tags["s1"].Err)
	})
}
