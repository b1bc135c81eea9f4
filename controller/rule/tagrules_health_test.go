package rule_test

import (
	"testing"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

const lb = "traefik.http.services.web.loadbalancer."

func TestWeightZero(t *testing.T) {
	check(t, "DG405", map[string]ruleCase{
		"no weight":  {job: one(routes()...)},
		"a weight":   {job: one(routes(lb + "server.weight=10")...)},
		"weight 0":   {job: one(routes(lb + "server.weight=0")...), want: []wanted{{rule.Warning, atTags.Index(2), "get no request"}}},
		"with check": {job: one(routes(lb+"healthcheck.path=/readyz", lb+"server.weight=0")...), want: []wanted{{rule.Error, atTags.Index(3), "requests hang"}}},
		"canaries":   {job: withCanary(routes(), routes(lb+"server.weight=0")), want: []wanted{{rule.Warning, atCanary.Index(2), "in the canary_tags"}}},
		"below 0":    {job: one(routes(lb + "server.weight=-1")...), want: []wanted{{rule.Warning, atTags.Index(2), "weight -1"}}},
	})
}

func TestHealthChecksThatNeverCome(t *testing.T) {
	check(t, "DG406", map[string]ruleCase{
		"no check":                {job: one(routes()...)},
		"every second":            {job: one(routes(lb+"healthcheck.path=/readyz", lb+"healthcheck.interval=1s")...)},
		"the default interval":    {job: one(routes(lb + "healthcheck.path=/readyz")...), want: []wanted{{rule.Warning, atTags.Index(2), "every 30s and may reload every 15s"}}},
		"as long as a refresh":    {job: one(routes(lb+"healthcheck.path=/readyz", lb+"healthcheck.interval=15s")...), want: []wanted{{rule.Warning, atTags.Index(3), "every 15s"}}},
		"a longer refresh":        {job: one(routes(lb + "healthcheck.path=/readyz")...), settings: func(s *model.ProxySettings) { s.RefreshInterval = time.Minute }},
		"with assumed settings":   {job: one(routes(lb + "healthcheck.path=/readyz")...), assumed: true, want: []wanted{{rule.Notice, atTags.Index(2), "30s"}}},
		"a watch has no interval": {job: one(routes(lb + "healthcheck.path=/readyz")...), settings: func(s *model.ProxySettings) { s.Watch = true }},
	})
}

func TestRetriesThatDoNotRetry(t *testing.T) {
	used := func(more ...string) []string {
		return routes(append([]string{"traefik.http.routers.web.middlewares=again"}, more...)...)
	}
	attempts := "traefik.http.middlewares.again.retry.attempts="
	check(t, "DG407", map[string]ruleCase{
		"four attempts":        {job: one(used(attempts + "4")...)},
		"one attempt":          {job: one(used(attempts + "1")...), want: []wanted{{rule.Warning, atTags.Index(3), "1 attempt"}}},
		"no attempts":          {job: one(used(attempts + "0")...), want: []wanted{{rule.Error, atTags.Index(3), `refuses, and with it router "web"`}}},
		"attempts not given":   {job: one(used("traefik.http.middlewares.again.retry.initialinterval=100ms")...), want: []wanted{{rule.Error, atTags.Index(3), "0 attempts"}}},
		"no router uses it":    {job: one(routes(attempts + "1")...)},
		"in a chain":           {job: one(routes("traefik.http.routers.web.middlewares=c", "traefik.http.middlewares.c.chain.middlewares=again", attempts+"1")...), want: []wanted{{rule.Warning, atTags.Index(4), "1 attempt"}}},
		"sticky":               {job: one(used(attempts+"4", lb+"sticky.cookie=true")...), want: []wanted{{rule.Warning, atTags.Index(3), "the same server 4 times"}}},
		"sticky and checked":   {job: one(used(attempts+"4", lb+"sticky.cookie=true", lb+"healthcheck.path=/")...)},
		"sticky, passive":      {job: one(used(attempts+"4", lb+"sticky.cookie=true", lb+"passivehealthcheck.failurewindow=5s")...)},
		"of another provider":  {job: one(routes("traefik.http.routers.web.middlewares=again@file", attempts+"1")...)},
		"one instance is fine": {job: single(one(used(attempts + "2")...))},
	})
}

func single(j model.Job) model.Job {
	j.Groups[0].Count = 1
	return j
}

func TestPassiveHealthChecksOfOneServer(t *testing.T) {
	check(t, "DG408", map[string]ruleCase{
		"three servers":    {job: one(routes(lb + "passivehealthcheck.failurewindow=5s")...)},
		"one, no check":    {job: single(one(routes()...))},
		"one":              {job: single(one(routes(lb + "passivehealthcheck.failurewindow=5s")...)), want: []wanted{{rule.Warning, atTags.Index(2), "a single failed request within 5s takes it out for 5s"}}},
		"the defaults":     {job: single(one(routes(lb + "passivehealthcheck.maxfailedattempts=3")...)), want: []wanted{{rule.Warning, atTags.Index(2), "3 failed requests within 10s"}}},
		"in two groups":    {job: single(jobOf(service("web", routes(lb+"passivehealthcheck.failurewindow=5s"), nil), service("web", routes(lb+"passivehealthcheck.failurewindow=5s"), nil)))},
		"an older Traefik": {job: single(one(routes(lb + "passivehealthcheck.failurewindow=5s")...)), version: "3.5.0"},
	})
}

func TestHealthChecksOfSomethingElse(t *testing.T) {
	ports := func(j model.Job) model.Job {
		j.Groups[0].Networks = []model.Network{{Ports: []model.Port{{Label: "http", Static: 8080, To: 80}, {Label: "admin", Static: 9000}}}}
		return j
	}
	none := one(routes(lb + "healthcheck.path=/health")...)
	none.Groups[0].Services[0].Checks = []model.Check{{Name: "open", Type: "tcp"}}
	check(t, "DG409", map[string]ruleCase{
		"the same path":            {job: one(routes(lb + "healthcheck.path=/readyz")...)},
		"no health check":          {job: one(routes()...)},
		"another path":             {job: one(routes(lb + "healthcheck.path=/health")...), want: []wanted{{rule.Notice, atTags.Index(2), `asks /health and Nomad's check "ready" asks /readyz`}}},
		"no path, which is /":      {job: one(routes(lb + "healthcheck.interval=2s")...), want: []wanted{{rule.Notice, atTags, "asks / and"}}},
		"no HTTP check to compare": {job: none},
		"over gRPC":                {job: one(routes(lb+"healthcheck.mode=grpc", lb+"healthcheck.path=/x")...)},
		"the service's port":       {job: ports(one(routes(lb+"healthcheck.path=/readyz", lb+"healthcheck.port=8080")...))},
		"its port inside":          {job: ports(one(routes(lb+"healthcheck.path=/readyz", lb+"healthcheck.port=80")...))},
		"another port":             {job: ports(one(routes(lb+"healthcheck.path=/readyz", lb+"healthcheck.port=9000")...)), want: []wanted{{rule.Notice, atTags.Index(3), `asks port 9000, and the ports of service "web" and its checks are 80, 8080`}}},
		"a port that Nomad draws":  {job: one(routes(lb+"healthcheck.path=/readyz", lb+"healthcheck.port=9000")...)},
	})
}
