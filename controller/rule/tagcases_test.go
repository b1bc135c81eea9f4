package rule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/traefik"
)

// defaults are Traefik's own.
func defaults() model.ProxySettings {
	return model.ProxySettings{
		ConsulCatalog: true, RefreshInterval: 15 * time.Second, Throttle: 2 * time.Second, ExposedByDefault: true, Prefix: "traefik",
		StrictChecks: []string{"passing", "warning"},
	}
}

// routes are tags that nothing is wrong with, of a service named web.
func routes(more ...string) []string {
	return append([]string{"traefik.enable=true", "traefik.http.routers.web.rule=Host(`web.example`)"}, more...)
}

// service is one Consul service with a check.
func service(name string, tags, canaryTags []string) model.Service {
	return model.Service{Name: name, Provider: "consul", PortLabel: "http", Tags: tags, CanaryTags: canaryTags,
		Checks: []model.Check{{Name: "ready", Type: "http", Path: "/readyz"}}}
}

// jobOf has one group for each service: three instances, three canaries.
func jobOf(services ...model.Service) model.Job {
	j := model.Job{ID: "shop", Type: "service"}
	for i, s := range services {
		j.Groups = append(j.Groups, model.Group{Name: fmt.Sprintf("g%d", i), Count: 3, Update: model.Update{Canary: 3, MaxParallel: 1}, Services: []model.Service{s}})
	}
	return j
}

// one is the job of one service named web with these tags.
func one(tags ...string) model.Job { return jobOf(service("web", tags, nil)) }

// withCanary is the same with canary_tags.
func withCanary(tags, canaryTags []string) model.Job { return jobOf(service("web", tags, canaryTags)) }

// ruleCase is a job, or settings, and what one rule says of it.
type ruleCase struct {
	job      model.Job
	settings func(*model.ProxySettings)
	assumed  bool
	version  string
	against  *model.Job
	// want are severity, path and part of the message; no finding without any.
	want []wanted
}

type wanted struct {
	severity rule.Severity
	path     model.Path
	message  string
}

func input(c ruleCase, job model.Job) rule.Input {
	s := defaults()
	if c.settings != nil {
		c.settings(&s)
	}
	return rule.Input{Job: &job, Settings: s, Assumed: c.assumed, TraefikVersion: c.version, Tags: traefik.ReadJob(s, c.version, job)}
}

// check runs one rule over the cases.
func check(t *testing.T, id string, cases map[string]ruleCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(id+": "+name, func(t *testing.T) {
			in := input(c, c.job)
			if c.against != nil {
				running := input(c, *c.against)
				in.Against = &running
			}
			var got []rule.Finding
			for _, f := range rule.Run(rule.All(), in) {
				if f.Rule == id {
					got = append(got, f)
				}
			}
			require.Len(t, got, len(c.want), "%+v", got)
			for i, w := range c.want {
				if diff := cmp.Diff([]string{string(w.severity), string(w.path)}, []string{string(got[i].Severity), string(got[i].Path)}); diff != "" {
					t.Errorf("severity and path (-want +got):\n%s%s", diff, got[i].Message)
				}
				require.Contains(t, got[i].Message, w.message)
				require.NotContains(t, got[i].Message, "\n")
				require.NotContains(t, got[i].Message, "@consulcatalog")
			}
		})
	}
}

const (
	atTags   = model.Path(`group["g0"].service[0].tags`)
	atCanary = model.Path(`group["g0"].service[0].canary_tags`)
)
