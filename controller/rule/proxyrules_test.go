package rule_test

import (
	"testing"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

func TestRulesAboutTraefiksSettings(t *testing.T) {
	set := func(f func(*model.ProxySettings)) func(*model.ProxySettings) { return f }
	check(t, "DG501", map[string]ruleCase{
		"polling":         {},
		"watch":           {settings: set(func(s *model.ProxySettings) { s.Watch = true }), want: []wanted{{rule.Warning, "", "watch = true: nothing bounds"}}},
		"stale":           {settings: set(func(s *model.ProxySettings) { s.Stale = true }), want: []wanted{{rule.Warning, "", "stale = true"}}},
		"cache":           {settings: set(func(s *model.ProxySettings) { s.Cache = true }), want: []wanted{{rule.Warning, "", "cache = true"}}},
		"watch and stale": {settings: set(func(s *model.ProxySettings) { s.Watch, s.Stale = true, true }), want: []wanted{{rule.Error, "", "watch = true, stale = true: a load can give the state from before"}}},
		"stale and cache": {settings: set(func(s *model.ProxySettings) { s.Stale, s.Cache = true, true }), want: []wanted{{rule.Warning, "", "stale = true, cache = true"}}},
		"not enabled":     {settings: set(func(s *model.ProxySettings) { s.Watch, s.ConsulCatalog = true, false })},
	})
	check(t, "DG502", map[string]ruleCase{
		"15s":      {},
		"0":        {settings: set(func(s *model.ProxySettings) { s.RefreshInterval = 0 }), want: []wanted{{rule.Error, "", "is 0s: Traefik ends with a panic"}}},
		"below 0":  {settings: set(func(s *model.ProxySettings) { s.RefreshInterval = -1 }), want: []wanted{{rule.Error, "", "panic"}}},
		"not used": {settings: set(func(s *model.ProxySettings) { s.RefreshInterval, s.Watch = 0, true })},
	})
	check(t, "DG503", map[string]ruleCase{
		"given":                             {},
		"assumed":                           {assumed: true, want: []wanted{{rule.Unknown, "", "refreshInterval 15s, providersThrottleDuration 2s, watch false"}}},
		"assumed with a prefix":             {assumed: true, settings: set(func(s *model.ProxySettings) { s.Prefix = "edge" }), want: []wanted{{rule.Unknown, "", `prefix "edge"`}}},
		"assumed, and what that leaves out": {assumed: true, want: []wanted{{rule.Unknown, "", "a service without a tag that asks for routing is taken to be behind no Traefik"}}},
	})
	check(t, "DG504", map[string]ruleCase{
		"the default":  {},
		"passing only": {settings: set(func(s *model.ProxySettings) { s.StrictChecks = []string{"passing"} })},
		"any":          {settings: set(func(s *model.ProxySettings) { s.StrictChecks = []string{"any"} }), want: []wanted{{rule.Error, "", "strictChecks has any"}}},
		"critical":     {settings: set(func(s *model.ProxySettings) { s.StrictChecks = []string{"passing", "Critical"} }), want: []wanted{{rule.Error, "", "strictChecks has Critical"}}},
		"maintenance":  {settings: set(func(s *model.ProxySettings) { s.StrictChecks = []string{"passing", "maintenance"} }), want: []wanted{{rule.Error, "", "has maintenance"}}},
	})
	check(t, "DG505", map[string]ruleCase{
		"enabled":     {},
		"not enabled": {settings: set(func(s *model.ProxySettings) { s.ConsulCatalog = false }), want: []wanted{{rule.Error, "", "is not enabled"}}},
		"assumed":     {assumed: true, settings: set(func(s *model.ProxySettings) { s.ConsulCatalog = false })},
	})
}
