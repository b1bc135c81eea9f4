package rule_test

import (
	"testing"

	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/traefik"
)

// BenchmarkTags is one job of one service: reading its tags and applying all rules.
func BenchmarkTags(b *testing.B) {
	job := one(routes(lb+"healthcheck.path=/readyz", lb+"healthcheck.interval=2s", "traefik.http.routers.web.middlewares=r", "traefik.http.middlewares.r.retry.attempts=4")...)
	s, all := defaults(), rule.All()
	for b.Loop() {
		rule.Run(all, rule.Input{Job: &job, Settings: s, Tags: traefik.ReadJob(s, "", job)})
	}
}
