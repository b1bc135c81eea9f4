package rule_test

import (
	"testing"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

func TestEnableFlips(t *testing.T) {
	rules := "traefik.http.routers.web.rule=Host(`web.example`)"
	off := []string{"traefik.enable=false"}
	check(t, "DG402", map[string]ruleCase{
		"no canary_tags":                    {job: one(routes()...)},
		"canary_tags that say true as well": {job: withCanary(routes(), routes())},
		"true and false":                    {job: withCanary(routes(), off), want: []wanted{{rule.Error, atCanary.Index(0), `"traefik.enable=false" in the canary_tags`}}},
		"nothing and false":                 {job: withCanary([]string{rules}, off), want: []wanted{{rule.Error, atCanary.Index(0), "takes all its instances out"}}},
		"nothing and false, where nothing is exposed by default": {job: withCanary([]string{"v1"}, off), settings: notExposedByDefault},
		"true and nothing, where nothing is exposed by default":  {job: withCanary(routes(), []string{"canary"}), settings: notExposedByDefault},
		"true and false, where nothing is exposed by default":    {job: withCanary(routes(), off), settings: notExposedByDefault, want: []wanted{{rule.Error, atCanary.Index(0), "takes all"}}},
		"false and true: then the canaries switch it on":         {job: withCanary(off, routes()), want: []wanted{{rule.Error, atTags.Index(0), "in the tags"}}},
		"false for both":      {job: withCanary(off, off)},
		"no canaries to have": {job: noCanaries(withCanary(routes(), off))},
		"two groups of one service": {job: jobOf(service("web", routes(), nil), service("web", off, nil)),
			want: []wanted{{rule.Error, `group["g1"].service[0].tags[0]`, "in the tags"}}},
		"two services": {job: jobOf(service("web", routes(), nil), service("admin", off, nil))},
	})
	check(t, "DG413", map[string]ruleCase{
		"a flip is not reported as unknown too": {job: withCanary(routes(), off)},
	})
	check(t, "DG403", map[string]ruleCase{
		"nor as another pool": {job: withCanary([]string{rules}, off)},
	})
}

func noCanaries(j model.Job) model.Job {
	j.Groups[0].Update.Canary = 0
	return j
}

func TestCanariesInAnotherPool(t *testing.T) {
	other := []string{"traefik.enable=true", "traefik.http.routers.next.rule=Host(`next.example`)", "traefik.http.services.next.loadbalancer.passhostheader=true"}
	check(t, "DG403", map[string]ruleCase{
		"the same tags":                        {job: withCanary(routes(), routes())},
		"no canary_tags":                       {job: one(routes()...)},
		"a router of their own, the same pool": {job: withCanary(routes(), []string{"traefik.http.routers.next.rule=Host(`next.example`)"})},
		"a service of their own":               {job: withCanary(routes(), other), want: []wanted{{rule.Error, atCanary, `out of Traefik's service "web": the gate holds them, and promoted by hand they are there only after the next load, up to 17s later`}}},
		"the provider's canary tag":            {job: withCanary(routes(), []string{"traefik.enable=true", "traefik.consulcatalog.canary=true"}), want: []wanted{{rule.Error, atCanary, `service "web"`}}},
		"not exposed":                          {job: withCanary(routes(), []string{"canary"}), settings: notExposedByDefault, want: []wanted{{rule.Error, atCanary, "out of Traefik:"}}},
		"no canaries":                          {job: noCanaries(withCanary(routes(), other))},
		"watch":                                {job: withCanary(routes(), other), settings: func(s *model.ProxySettings) { s.Watch = true }, want: []wanted{{rule.Error, atCanary, "an unknown time"}}},
		"refused":                              {job: withCanary(routes(), []string{"traefik.http.routers.web.zzz=x"})},
	})
}

func TestTagsThatDiffer(t *testing.T) {
	running := one(routes()...)
	rolling := noCanaries(one(routes("traefik.http.routers.web.priority=3")...))
	single := rolling
	single.Groups = append([]model.Group(nil), rolling.Groups...)
	single.Groups[0].Count = 1
	check(t, "DG404", map[string]ruleCase{
		"nothing to compare with":          {job: one(routes()...)},
		"the same":                         {job: one(routes()...), against: &running},
		"another order":                    {job: one(routes()[1], routes()[0]), against: &running},
		"a tag that Traefik does not read": {job: one(routes("v2")...), against: &running},
		"a tag that says the default":      {job: one(routes("traefik.http.services.web.loadbalancer.passhostheader=true", "traefik.http.services.web.loadbalancer.strategy=wrr")...), against: &running},
		"another weight":                   {job: one(routes("traefik.http.services.web.loadbalancer.server.weight=5")...), against: &running},
		"one more router":                  {job: one(routes("traefik.http.routers.other.rule=Host(`other`)")...), against: &running},
		"another rule":                     {job: one("traefik.enable=true", "traefik.http.routers.web.rule=Host(`new.example`)"), against: &running, want: []wanted{{rule.Error, atTags.Index(1), `router "web" does not agree with the version that runs now (here "traefik.http.routers.web.rule=Host(` + "`new.example`" + `)", there`}}},
		"one more option":                  {job: one(routes("traefik.http.services.web.loadbalancer.healthcheck.path=/readyz")...), against: &running, want: []wanted{{rule.Error, atTags.Index(2), `service "web" does not agree`}}},
		"one option less":                  {job: running, against: &rolling, want: []wanted{{rule.Error, atTags.Index(1), "priority=3"}}},
		"a rolling update":                 {job: rolling, against: &running, want: []wanted{{rule.Error, atTags.Index(2), `router "web"`}}},
		"one instance, stopped before the next starts": {job: single, against: &running},
		"one instance, with a placeholder beside it":   {job: withMeta(single, "draingate_park", "30s"), against: &running, want: []wanted{{rule.Error, atTags.Index(2), `router "web"`}}},
		"a middleware": {job: one(routes("traefik.http.routers.web.middlewares=r", "traefik.http.middlewares.r.retry.attempts=4")...),
			against: new(one(routes("traefik.http.routers.web.middlewares=r", "traefik.http.middlewares.r.retry.attempts=2")...)),
			want:    []wanted{{rule.Error, atTags.Index(3), `middleware "r"`}}},
		"a newer option of the same middleware": {version: "3.7.2", job: one(routes("traefik.http.middlewares.r.retry.attempts=4", "traefik.http.middlewares.r.retry.status=502")...),
			against: new(one(routes("traefik.http.middlewares.r.retry.attempts=4")...)),
			want:    []wanted{{rule.Error, atTags.Index(3), `middleware "r"`}}},
		"canary_tags with another rule for the same router": {job: withCanary(routes(), []string{"traefik.enable=true", "traefik.http.routers.web.rule=Host(`next.example`)"}),
			want: []wanted{{rule.Error, atCanary.Index(1), "with the tags, which the other instances have"}}},
		"two services of the job that share a router": {job: jobOf(service("web", routes(), nil), service("api", routes(), nil)),
			want: []wanted{{rule.Error, `group["g1"].service[0].tags[1]`, `with service "web" of the same job`}}},
		"two groups of one service": {job: jobOf(service("web", routes(), nil), service("web", routes(), nil))},
		"another's prefix":          {job: one("edge.http.routers.web.rule=a"), against: new(one("edge.http.routers.web.rule=b"))},
		"a name of the job's":       {job: one("traefik.http.routers.web.rule=Host(`${NOMAD_JOB_NAME}`)"), against: new(one("traefik.http.routers.web.rule=Host(`${NOMAD_JOB_NAME}`)"))},
		"something of each instance": {job: one("traefik.http.routers.web.rule=Host(`${NOMAD_ALLOC_ID}`)"),
			want: []wanted{{rule.Unknown, atTags.Index(0), "depends on ${NOMAD_ALLOC_ID}"}}},
		"meta that changes": {job: withMeta(one("traefik.http.routers.web.rule=Host(`${NOMAD_META_HOST}`)"), "host", "a"), against: new(withMeta(one("traefik.http.routers.web.rule=Host(`${NOMAD_META_HOST}`)"), "host", "b")),
			want: []wanted{{rule.Error, atTags.Index(0), `router "web"`}}},
	})
}
