package rule_test

import (
	"testing"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

// DG201 stands for all rules about routed services.
func TestServicesThatNothingIsRoutedTo(t *testing.T) {
	const at = model.Path(`group["g0"].service[0]`)
	unchecked := func(j model.Job) model.Job {
		j.Groups[0].Services[0].Checks = nil
		return j
	}
	of := func(tags ...string) model.Job { return unchecked(one(tags...)) }
	internal := func(more ...string) []string {
		return routes(append([]string{"traefik.http.routers.web.service=api@internal"}, more...)...)
	}
	reported := []wanted{{rule.Error, at, "has no check"}}
	check(t, "DG201", map[string]ruleCase{
		"the dashboard of Traefik itself":         {job: of(internal()...)},
		"the same with canary_tags":               {job: unchecked(withCanary(internal(), internal()))},
		"the dashboard, and canaries are routed":  {job: unchecked(withCanary(internal(), routes())), want: reported},
		"the dashboard and a router of its own":   {job: of(internal("traefik.http.routers.shop.rule=Host(`shop.example`)")...), want: reported},
		"the dashboard and a service with a name": {job: of(internal("traefik.http.services.shop.loadbalancer.server.port=80")...), want: reported},
		"the dashboard and TCP":                   {job: of(internal("traefik.tcp.routers.shop.rule=HostSNI(`*`)")...), want: reported},

		"no tag for Traefik, exposed by default":                {job: of("v1"), want: reported},
		"no tag for Traefik, exposed by default as is assumed":  {job: of("v1"), assumed: true},
		"no tag at all, exposed by default as is assumed":       {job: of(), assumed: true},
		"a tag for Traefik, exposed by default as is assumed":   {job: of("traefik.http.routers.web.rule=Host(`web.example`)"), assumed: true, want: reported},
		"a tag for Traefik on canaries only, exposed as before": {job: unchecked(withCanary([]string{"v1"}, routes())), assumed: true, want: reported},
		"only a middleware, exposed by default":                 {job: of("traefik.http.middlewares.short.retry.attempts=2"), want: reported},
		"only a middleware, exposed as is assumed":              {job: of("traefik.http.middlewares.short.retry.attempts=2"), assumed: true},
		"a prefix in capitals, exposed as is assumed":           {job: of("Traefik.Enable=true"), assumed: true, want: reported},
		"a tag that may turn out to be for Traefik":             {job: of("${NOMAD_META_extra}"), assumed: true, want: reported},
	})
}
