package rule

import (
	"testing"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// parks makes both groups what a park is for: one instance, replaced stop before
// start, with long enough delays. The group of the api has its service at task level.
func parks(in *Input, web, api *model.Group) {
	in.Job.Meta[metaPark] = "30s"
	in.Settings.Timeouts = &model.Timeouts{}
	for _, g := range []*model.Group{web, api} {
		g.Count, g.Update.Canary = 1, 0
	}
	api.ShutdownDelay = 21 * time.Second
}

// onlyAPI is parks without the group whose service is at group level.
func onlyAPI(in *Input, web, api *model.Group) {
	parks(in, web, api)
	web.Services = nil
}

const apiService = model.Path(`group["api"].task["main"].service[0]`)

func reads(change func(*model.TagReading)) func(*Input, *model.Group, *model.Group) {
	return func(in *Input, _, _ *model.Group) {
		r := model.TagReading{Exposed: true, Routers: []string{"api@consulcatalog"}, Services: []model.TagService{{Name: "api@consulcatalog", Scheme: "http", Weight: 1}}}
		change(&r)
		in.Tags[apiService] = Tags{Stable: r, Canary: r}
	}
}

func timeouts(change func(*model.Timeouts)) func(*Input, *model.Group, *model.Group) {
	return both(reads(func(*model.TagReading) {}), func(in *Input, _, _ *model.Group) {
		in.Settings.Timeouts = &model.Timeouts{EntryPoints: []model.EntryPoint{{Name: "web", Default: true}}}
		change(in.Settings.Timeouts)
	})
}

func TestParkRefused(t *testing.T) {
	meta := model.JobPath.Meta(metaPark)
	tagged := func(_ *Input, _, api *model.Group) {
		api.Tasks[0].Services[0].Tags = []string{"traefik.enable=true", "traefik.http.services.api.loadbalancer.healthcheck.port=9"}
	}
	check(t, "DG701", map[string]ruleCase{
		"no park":      {reads(func(r *model.TagReading) { r.Services[0].Scheme = "https" }), nil},
		"a park":       {onlyAPI, nil},
		"a park of 0s": {both(onlyAPI, reads(func(r *model.TagReading) { r.Services[0].Scheme = "https" }), func(in *Input, _, api *model.Group) { api.Meta = map[string]string{metaPark: "0s"} }), nil},
		"https to the instances": {both(onlyAPI, reads(func(r *model.TagReading) { r.Services[0].Scheme = "https" })),
			[]expected{{Error, apiService.Child("tags"), `draingate_park = "30s" and no request will be parked (UnsupportedScheme)`, ""}}},
		"a health check elsewhere": {both(onlyAPI, tagged, reads(func(r *model.TagReading) { r.Services[0].HealthCheck = &model.HealthCheck{Port: 9} })),
			[]expected{{Error, apiService.Tag(1), "asks port 9", ""}}},
		"Nomad's catalog": {both(onlyAPI, func(_ *Input, _, api *model.Group) { api.Tasks[0].Services[0].Provider = "nomad" }),
			[]expected{{Error, apiService.Child("provider"), "ProviderNomad", ""}}},
		"the mesh": {both(onlyAPI, func(_ *Input, _, api *model.Group) { api.Tasks[0].Services[0].Connect = true }), []expected{{Error, apiService.Child("connect"), "UnsupportedConnect", ""}}},
		"tags that Traefik refuses are for others to say": {both(onlyAPI, reads(func(r *model.TagReading) { *r = model.TagReading{Err: "nope"} })), nil},
		"clients are cut off": {both(onlyAPI, timeouts(func(t *model.Timeouts) { t.EntryPoints[0].Write = 30 * time.Second })),
			[]expected{{Error, meta, "entryPoints.web.transport.respondingTimeouts.writeTimeout = 30s", ""}}},
		"clients are cut off, by the group's own": {both(onlyAPI, timeouts(func(t *model.Timeouts) { t.EntryPoints[0].Write = 30 * time.Second }), func(_ *Input, _, api *model.Group) { api.Meta = map[string]string{metaPark: "31s"} }),
			[]expected{{Error, model.GroupPath("api").Meta(metaPark), `draingate_park = "31s"`, ""}}},
		"clients are cut off, as far as is assumed": {both(onlyAPI, timeouts(func(t *model.Timeouts) { t.ResponseHeader = time.Second }), func(in *Input, _, _ *model.Group) { in.Assumed = true }),
			[]expected{{Unknown, meta, "which are assumed", ""}}},
		"clients wait long enough": {both(onlyAPI, timeouts(func(t *model.Timeouts) { t.EntryPoints[0].Write, t.ResponseHeader = 31*time.Second, 31*time.Second })), nil},
	})
}

func TestParkNotKnown(t *testing.T) {
	check(t, "DG704", map[string]ruleCase{
		"no park":                    {reads(func(r *model.TagReading) { r.Services[0].ServersTransport = "slow@file" }), nil},
		"nothing is hidden":          {both(onlyAPI, reads(func(*model.TagReading) {})), nil},
		"a transport":                {both(onlyAPI, reads(func(r *model.TagReading) { r.Services[0].ServersTransport = "slow@file" })), []expected{{Unknown, apiService.Child("tags"), `"slow@file"`, ""}}},
		"timeouts that are not read": {both(onlyAPI, reads(func(*model.TagReading) {}), func(in *Input, _, _ *model.Group) { in.Settings.Timeouts = nil }), []expected{{Unknown, model.JobPath.Meta(metaPark), "must be above 30s", ""}}},
		"watch mode is DG501's":      {both(onlyAPI, reads(func(*model.TagReading) {}), func(in *Input, _, _ *model.Group) { in.Settings.Watch = true }), nil},
	})
}

func TestParkWithoutNotice(t *testing.T) {
	delay := func(d time.Duration) func(*Input, *model.Group, *model.Group) {
		return func(_ *Input, _, api *model.Group) { api.ShutdownDelay = d }
	}
	at := model.GroupPath("api").Child("shutdown_delay")
	check(t, "DG702", map[string]ruleCase{
		"no park":              {delay(0), nil},
		"long enough":          {both(onlyAPI, delay(20500*time.Millisecond)), nil},
		"a second short":       {both(onlyAPI, delay(19*time.Second)), []expected{{Warning, at, "may need 20.5s until it routes to a placeholder", `shutdown_delay = "21s"`}}},
		"none":                 {both(onlyAPI, delay(0)), []expected{{Warning, at, "(to see the stop and register 2s + refreshInterval 15s", `shutdown_delay = "21s"`}}},
		"at group level":       {parks, []expected{{Warning, webService, `service "web" is at group level`, ""}}},
		"watch mode is others": {both(onlyAPI, delay(0), func(in *Input, _, _ *model.Group) { in.Settings.Watch = true }), nil},
		"settings are assumed": {both(onlyAPI, delay(0), func(in *Input, _, _ *model.Group) { in.Assumed = true }), []expected{{Warning, at, "which are assumed", ""}}},
		"in the mesh":          {both(onlyAPI, delay(0), func(_ *Input, _, api *model.Group) { api.Tasks[0].Services[0].Connect = true }), nil},
	})
}

func TestParkNotInForce(t *testing.T) {
	meta := func(key, value string) func(*Input, *model.Group, *model.Group) {
		return func(in *Input, _, _ *model.Group) { in.Job.Meta[key] = value }
	}
	at := model.JobPath.Meta(metaPark)
	check(t, "DG703", map[string]ruleCase{
		"no park":               {nothing, nil},
		"in force":              {onlyAPI, nil},
		"turned off":            {both(onlyAPI, meta(metaPark, "0s"), meta(metaMode, "off")), nil},
		"no duration is others": {both(onlyAPI, meta(metaPark, "soon")), nil},
		"below zero is others":  {both(onlyAPI, meta(metaPark, "-1s")), nil},
		"too long":              {both(onlyAPI, meta(metaPark, "1h")), []expected{{Warning, at, "above 10m0s, the longest", `draingate_park = "10m"`}}},
		"only observed":         {both(onlyAPI, meta(metaMode, "observe")), []expected{{Warning, at, `draingate_mode = "observe"`, `draingate_mode = "enforce"`}}},
		"off":                   {both(onlyAPI, meta(metaMode, "off")), []expected{{Warning, at, `draingate_mode = "off"`, ""}}},
		"with canaries":         {both(onlyAPI, func(_ *Input, _, api *model.Group) { api.Update.Canary = 1 }), []expected{{Notice, at, "canary = 1", ""}}},
		"one after the other":   {both(onlyAPI, func(_ *Input, _, api *model.Group) { api.Count = 2 }), []expected{{Notice, at, "replaces 1 of 2", ""}}},
		"all at once":           {both(onlyAPI, func(_ *Input, _, api *model.Group) { api.Count, api.Update.MaxParallel = 2, 2 }), nil},
	})
}

// With a park, the outage of a group without canaries is no finding of its own; without
// one it is, and says what would help.
func TestAGroupThatCannotOverlap(t *testing.T) {
	disk := func(_ *Input, web, api *model.Group) {
		web.Services = nil
		api.Count, api.Update.Canary = 1, 0
		api.Volumes = []model.Volume{{Name: "data", Type: model.VolumeHost, AccessMode: model.AccessSingleNodeSingleWriter}}
	}
	at := model.GroupPath("api").Update("canary")
	check(t, "DG207", map[string]ruleCase{
		"one writer, and no park":       {disk, []expected{{Error, at, "requests can wait for the new version instead: draingate_park", "meta {\n  draingate_park = \"30s\"\n}"}}},
		"one writer, and a park":        {both(disk, func(in *Input, _, _ *model.Group) { in.Job.Meta[metaPark] = "30s" }), nil},
		"one writer, and a park of 0s":  {both(disk, func(in *Input, _, _ *model.Group) { in.Job.Meta[metaPark] = "0s" }), []expected{{Error, at, "", ""}}},
		"one writer, one after another": {both(disk, func(_ *Input, _, api *model.Group) { api.Count = 2 }), []expected{{Warning, at, "canaries are no way out", ""}}},
	})
}
