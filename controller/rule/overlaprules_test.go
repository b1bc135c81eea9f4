package rule

import (
	"testing"

	"github.com/draingate/draingate/controller/model"
)

func TestVolumeCannotOverlap(t *testing.T) {
	has := func(v model.Volume) func(*Input, *model.Group, *model.Group) {
		v.Name, v.Source = "data", "shop"
		return func(_ *Input, web, _ *model.Group) { web.Volumes = []model.Volume{v} }
	}
	csi := func(mode string, readOnly bool) func(*Input, *model.Group, *model.Group) {
		return has(model.Volume{Type: model.VolumeCSI, AccessMode: mode, ReadOnly: readOnly})
	}
	host := func(mode string) model.Volume { return model.Volume{Type: model.VolumeHost, AccessMode: mode} }
	const data = model.Path(`group["web"].volume["data"]`)
	mode := data.Child("access_mode")
	check(t, "DG601", map[string]ruleCase{
		"no volume": {nothing, nil},
		"per_alloc": {
			has(model.Volume{Type: model.VolumeCSI, PerAlloc: true, AccessMode: model.AccessSingleNodeWriter}),
			[]expected{{Error, data.Child("per_alloc"), `volume "data" with canary = 3: it is per_alloc, and Nomad refuses`, ""}},
		},
		"CSI, one writer":             {csi(model.AccessSingleNodeWriter, false), []expected{{Error, mode, `access_mode "single-node-writer" lets one allocation claim it`, ""}}},
		"CSI, one writer, only read":  {csi(model.AccessSingleNodeWriter, true), []expected{{Error, mode, "", ""}}},
		"CSI, one reader":             {csi("single-node-reader-only", true), []expected{{Error, mode, "", ""}}},
		"CSI, one writer of many":     {csi("multi-node-single-writer", false), []expected{{Error, mode, "", ""}}},
		"CSI, a reader of many":       {csi("multi-node-single-writer", true), nil},
		"CSI, many writers":           {csi("multi-node-multi-writer", false), nil},
		"a host volume, one writer":   {has(host(model.AccessSingleNodeSingleWriter)), []expected{{Error, mode, `unless on another node with a volume "shop" of its own`, ""}}},
		"a host volume, many writers": {has(host("single-node-multi-writer")), nil},
		"a host volume, nothing said": {has(host("")), []expected{{Unknown, mode, "from writing to it at the same time", ""}}},
		"a host volume, only read":    {has(model.Volume{Type: model.VolumeHost, ReadOnly: true}), nil},
		"a sticky host volume":        {has(model.Volume{Type: model.VolumeHost, Sticky: true}), []expected{{Warning, data.Child("sticky"), "starts without the data", ""}}},
		"without canaries":            {both(sized(1, 0, 1), csi(model.AccessSingleNodeWriter, false)), nil},
		"a system job":                {both(csi(model.AccessSingleNodeWriter, false), jobType(model.JobTypeSystem)), nil},
	})
}

func TestStaticPort(t *testing.T) {
	static := func(_ *Input, web, _ *model.Group) {
		web.Networks[0].Ports = append(web.Networks[0].Ports, model.Port{Label: "admin", Static: 9000})
	}
	check(t, "DG602", map[string]ruleCase{
		"ports that Nomad chooses": {nothing, nil},
		"a static port":            {static, []expected{{Warning, `group["web"].network[0].port["admin"].static`, `port "admin" is static, 9000: count 3 + canary 3 need 6 nodes`, ""}}},
		"of a task": {
			func(_ *Input, web, _ *model.Group) {
				web.Tasks[0].Networks = []model.Network{{Ports: []model.Port{{Label: "old", Static: 80}}}}
			},
			[]expected{{Warning, webServer.Child("resources").Network(0).Port("old").Child("static"), "80: count 3 + canary 3", ""}},
		},
		"without canaries": {both(static, sized(3, 0, 1)), nil},
	})
}

func TestStickyDisk(t *testing.T) {
	disk := func(sticky, migrate bool) func(*Input, *model.Group, *model.Group) {
		return func(_ *Input, web, _ *model.Group) {
			web.EphemeralDisk = model.EphemeralDisk{Sticky: sticky, Migrate: migrate}
		}
	}
	at := model.GroupPath("web").Child("ephemeral_disk")
	check(t, "DG603", map[string]ruleCase{
		"neither":            {nothing, nil},
		"sticky":             {disk(true, false), []expected{{Warning, at.Child("sticky"), "sticky = true and canary = 3", "sticky = false"}}},
		"migrate":            {disk(false, true), []expected{{Warning, at.Child("migrate"), "migrate = true and canary = 3", ""}}},
		"both are one thing": {disk(true, true), []expected{{Warning, at.Child("sticky"), "", ""}}},
		"without canaries":   {both(disk(true, true), sized(3, 0, 1)), nil},
	})
}

func TestDistinctHosts(t *testing.T) {
	distinct := func(_ *Input, web, _ *model.Group) { web.DistinctHosts = true }
	check(t, "DG604", map[string]ruleCase{
		"none":             {nothing, nil},
		"distinct_hosts":   {both(distinct, sized(5, 2, 1)), []expected{{Notice, `group["web"]`, "count 5 + canary 2 need 7 nodes", ""}}},
		"without canaries": {both(distinct, sized(5, 0, 1)), nil},
	})
}
