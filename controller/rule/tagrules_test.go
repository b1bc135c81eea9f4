package rule_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

func notExposedByDefault(s *model.ProxySettings) { s.ExposedByDefault = false }

func TestTagsThatTraefikRefuses(t *testing.T) {
	check(t, "DG401", map[string]ruleCase{
		"good tags": {job: one(routes("traefik.http.services.web.loadbalancer.healthcheck.path=/readyz", "v1")...)},
		"a key with a typing error": {job: one(routes("traefik.http.routers.web.rulee=x")...),
			want: []wanted{{rule.Error, atTags.Index(2), "did you mean http.routers.web.rule?"}}},
		"an option with a typing error below a list of one": {job: one(routes("traefik.http.services.web.loadbalancer.server.prot=80")...),
			want: []wanted{{rule.Error, atTags.Index(2), "did you mean http.services.web.loadbalancer.server.port?"}}},
		"a key like no other": {job: one(routes("traefik.http.routers.web.zzz=x")...),
			want: []wanted{{rule.Error, atTags.Index(2), "field not found"}}},
		"a bad value": {job: one(routes("traefik.http.services.web.loadbalancer.healthcheck.interval=often")...),
			want: []wanted{{rule.Error, atTags.Index(2), "interval=often"}}},
		"two bad tags, of which each has its place": {job: one(append([]string{"traefik.http.routers.web.zzz=x"}, routes("traefik.http.middleware.a.retry.attempts=2")...)...),
			want: []wanted{{rule.Error, atTags.Index(0), "zzz"}, {rule.Error, atTags.Index(3), "did you mean http.middlewares.a.retry.attempts?"}}},
		"tags that only fit nothing together": {job: one("traefik.http.services.web.weighted.services[0].name=x"),
			want: []wanted{{rule.Error, atTags, "no loadBalancer"}}},
		"a key of a newer Traefik and no version given": {job: one(routes("traefik.http.middlewares.r.retry.attempts=3", "traefik.http.middlewares.r.retry.status=502")...),
			want: []wanted{{rule.Warning, atTags.Index(3), "needs Traefik 3.7.0 or newer, and the version is not given"}}},
		"a key of a newer Traefik and that version": {job: one(routes("traefik.http.middlewares.r.retry.attempts=3", "traefik.http.middlewares.r.retry.status=502")...), version: "v3.7.1"},
		"a key of the default version and an older Traefik": {job: one(routes("traefik.http.services.web.loadbalancer.passivehealthcheck.failurewindow=5s")...), version: "3.5.3",
			want: []wanted{{rule.Error, atTags.Index(2), "needs Traefik 3.6.0 or newer and this is 3.5.3"}}},
		"an unknown key of a Traefik that is newer than all known ones": {job: one(routes("traefik.http.routers.web.zzz=x")...), version: "3.9.0"},
		"bad tags of a service that is switched off":                    {job: one("traefik.enable=false", "traefik.http.routers.web.zzz=x")},
		"a bad tag of canaries only": {job: withCanary(routes(), routes("traefik.http.routers.web.zzz=x")),
			want: []wanted{{rule.Error, atCanary.Index(2), "zzz"}}},
		"a value that only Nomad can fill in": {job: one(routes("traefik.http.services.web.loadbalancer.healthcheck.interval=${NOMAD_META_every}")...)},
		"a bad value that the job's meta fills in": {job: withMeta(one(routes("traefik.http.services.web.loadbalancer.healthcheck.interval=${NOMAD_META_every}")...), "every", "often"),
			want: []wanted{{rule.Error, atTags.Index(2), "${NOMAD_META_every}"}}},
		"a service in Nomad's own catalog": {job: ofNomad(one("traefik.http.routers.web.zzz=x"))},
	})
}

func withMeta(j model.Job, key, value string) model.Job {
	j.Meta = map[string]string{key: value}
	return j
}

func ofNomad(j model.Job) model.Job {
	j.Groups[0].Services[0].Provider = "nomad"
	return j
}

func TestServicesThatAreNotExposed(t *testing.T) {
	rules := "traefik.http.routers.web.rule=Host(`web`)"
	mesh := routes("traefik.consulcatalog.connect=true")
	check(t, "DG410", map[string]ruleCase{
		"exposed by default":            {job: one(rules)},
		"exposed by a tag":              {job: one(routes()...), settings: notExposedByDefault},
		"exposed by a tag in capitals":  {job: one("traefik.enable=TRUE", rules), settings: notExposedByDefault},
		"not meant for Traefik":         {job: one("v1"), settings: notExposedByDefault},
		"switched off on purpose":       {job: one("traefik.enable=false", rules), settings: notExposedByDefault},
		"tags and no enable":            {job: one("v1", rules), settings: notExposedByDefault, want: []wanted{{rule.Warning, atTags, "traefik.enable=true"}}},
		"enable=1":                      {job: one("traefik.enable=1", rules), settings: notExposedByDefault, want: []wanted{{rule.Error, atTags.Index(0), `"traefik.enable=1" enables nothing`}}},
		"a prefix of its own":           {job: one("edge.http.routers.web.rule=Host(`web`)"), settings: func(s *model.ProxySettings) { s.ExposedByDefault, s.Prefix = false, "edge" }, want: []wanted{{rule.Warning, atTags, "edge.enable=true"}}},
		"constraints that do not match": {job: one("traefik.enable=true", rules), settings: func(s *model.ProxySettings) { s.ExposedByDefault, s.Constraints = false, "Tag(`edge`)" }},

		"the mesh, and connectAware is not known": {job: one(mesh...), assumed: true, want: []wanted{{rule.Unknown, atTags.Index(2), "connectAware is not known"}}},
		"the mesh, and connectAware is false":     {job: one(mesh...), want: []wanted{{rule.Warning, atTags.Index(2), "connectAware is false: Traefik does not route to it"}}},
		"the mesh, and connectAware is true":      {job: one(mesh...), settings: func(s *model.ProxySettings) { s.ConnectAware = true }},
		"the mesh, left to another Traefik":       {job: one(mesh...), settings: func(s *model.ProxySettings) { s.Constraints = "Tag(`edge`)" }},
		"the mesh, switched off":                  {job: one("traefik.enable=false", "traefik.consulcatalog.connect=true")},
		"connect=false":                           {job: one(routes("traefik.consulcatalog.connect=false")...)},
	})
}

func TestTagsThatFreezeTheProvider(t *testing.T) {
	check(t, "DG411", map[string]ruleCase{
		"brackets in a value": {job: one(routes("traefik.http.routers.web.rule=HostRegexp(`[a-z]+`)")...)},
		"brackets in a key":   {job: one(routes("traefik.http.routers.web.tls.domains[0].main=example")...)},
		"a closing one only":  {job: one(routes("traefik.http.routers.web].rule=x")...), want: []wanted{{rule.Error, atTags.Index(2), "stops following Consul"}}},
		"in canary_tags":      {job: withCanary(routes(), routes("traefik.http.routers.web].rule=x")), want: []wanted{{rule.Error, atCanary.Index(2), "stops following Consul"}}},
		"in canary_tags that nothing uses": {job: func() model.Job {
			j := withCanary(routes(), routes("traefik.http.routers.web].rule=x"))
			j.Groups[0].Update.Canary = 0
			return j
		}()},
	})
	check(t, "DG401", map[string]ruleCase{
		"a freezing tag is not reported as unknown too": {job: one(routes("traefik.http.routers.web].rule=x")...)},
	})
}

func TestOtherProtocols(t *testing.T) {
	check(t, "DG412", map[string]ruleCase{
		"HTTP only":     {job: one(routes()...)},
		"TCP":           {job: one("v1", "traefik.tcp.routers.db.rule=HostSNI(`*`)"), want: []wanted{{rule.Warning, atTags.Index(1), "TCP or UDP"}}},
		"UDP and HTTP":  {job: one(routes("traefik.udp.routers.dns.entrypoints=dns")...), want: []wanted{{rule.Warning, atTags.Index(2), "TCP or UDP"}}},
		"switched off":  {job: one("traefik.enable=false", "traefik.tcp.routers.db.rule=HostSNI(`*`)")},
		"another's TCP": {job: one("edge.tcp.routers.db.rule=HostSNI(`*`)")},
	})
}

func TestTagsThatCannotBeRead(t *testing.T) {
	check(t, "DG413", map[string]ruleCase{
		"good tags":                       {job: one(routes()...)},
		"the job's own names":             {job: one("traefik.http.routers.${NOMAD_JOB_NAME}.rule=Host(`${NOMAD_GROUP_NAME}.example`)", "${NOMAD_ALLOC_INDEX}", "${attr.unique.hostname}", "node-${node.unique.id}")},
		"a dot in an expression in key":   {job: one("traefik.http.routers.web-${node.datacenter}.rule=Host(`web`)")},
		"a tag that could be anything":    {job: one("${NOMAD_META_extra}"), want: []wanted{{rule.Unknown, atTags, "${NOMAD_META_extra}"}}},
		"the same, and the meta is there": {job: withMeta(one("${NOMAD_META_extra}"), "extra", "v7")},
		"a switch that could be off":      {job: one("traefik.enable=${meta.public}", "traefik.http.routers.web.rule=Host(`web`)"), want: []wanted{{rule.Unknown, atTags, "traefik.enable=${meta.public}"}}},
		"an interval":                     {job: one(routes("traefik.http.services.web.loadbalancer.healthcheck.interval=${NOMAD_META_every}")...), want: []wanted{{rule.Unknown, atTags, "NOMAD_META_every"}}},
		"constraints over it":             {job: one(routes("region-${NOMAD_REGION}")...), settings: func(s *model.ProxySettings) { s.Constraints = "Tag(`region-eu`)" }, want: []wanted{{rule.Unknown, atTags, "NOMAD_REGION"}}},
		"constraints of another kind":     {job: one(routes()...), settings: func(s *model.ProxySettings) { s.Constraints = "Label(`a`)" }, want: []wanted{{rule.Unknown, atTags, "function Label"}}},
		"Traefik 2":                       {job: one(routes()...), version: "2.11.3", want: []wanted{{rule.Unknown, atTags, "this is 2.11.3"}}},
		"a key that may be known by now":  {job: one(routes("traefik.http.routers.web.zzz=x")...), version: "3.9.0", want: []wanted{{rule.Unknown, atTags, "3.9.0 may"}}},
	})
}

func TestEveryTagRuleSaysWhereItIsKnownFrom(t *testing.T) {
	n := 0
	for _, r := range rule.All() {
		if r.ID[:3] != "DG4" && r.ID[:3] != "DG5" {
			continue
		}
		n++
		require.Regexp(t, `v[0-9]+\.[0-9]+`, r.Why, r.ID)
		require.NotEmpty(t, r.Summary, r.ID)
		require.Contains(t, rule.Severities(), r.Severity, r.ID)
		require.Regexp(t, `^[a-z-]+$`, r.Name, r.ID)
	}
	require.Equal(t, 18, n)
}
