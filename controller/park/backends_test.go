package park_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/park"
)

func registered(alloc string, port int, status string) model.Registration {
	return model.Registration{ServiceID: "_nomad-" + alloc, AllocID: alloc, Node: "n1", Address: "10.0.0.1", Port: port, Status: status}
}

func TestWhatRequestsArePassedTo(t *testing.T) {
	placeholder := model.Registration{ServiceID: mine, Address: "10.0.0.2", Port: 2000, Status: model.StatusPassing}
	elsewhere := model.Registration{ServiceID: mine + "@other/leader", Address: "10.0.0.2", Port: 2001, Status: model.StatusPassing}
	goes := park.Going{Alloc: "old", Address: oldAt, Until: at(10 * second)}
	tests := map[string]struct {
		catalog []model.Registration
		going   []park.Going
		want    []park.Backend
	}{
		"nothing is there": {nil, nil, []park.Backend{}},
		"those that pass, sorted by address": {[]model.Registration{registered("new", 9090, model.StatusPassing), registered("b", 8081, model.StatusPassing), registered("c", 1, model.StatusCritical), registered("d", 2, model.StatusMaintenance), registered("e", 3, "warning")},
			nil, []park.Backend{{ID: "_nomad-b", Address: "10.0.0.1:8081"}, {ID: "_nomad-new", Address: newAt}}},
		"never a placeholder, whoever's":                    {[]model.Registration{placeholder, elsewhere}, nil, []park.Backend{}},
		"one that goes has an end":                          {[]model.Registration{registered("old", 8080, model.StatusPassing)}, []park.Going{goes}, []park.Backend{{ID: "_nomad-old", Address: oldAt, Until: at(10 * second)}}},
		"one that goes is served once it left the catalog":  {nil, []park.Going{goes}, []park.Backend{{ID: "old", Address: oldAt, Until: at(10 * second)}}},
		"one that goes and passes no more has not ended":    {[]model.Registration{registered("old", 8080, model.StatusCritical)}, []park.Going{goes}, []park.Backend{{ID: "old", Address: oldAt, Until: at(10 * second)}}},
		"without an end only the catalog tells":             {[]model.Registration{registered("old", 8080, model.StatusPassing)}, []park.Going{{Alloc: "old", Address: oldAt}}, []park.Backend{{ID: "_nomad-old", Address: oldAt}}},
		"without an end and out of the catalog it is none":  {nil, []park.Going{{Alloc: "old", Address: oldAt}}, []park.Backend{}},
		"one that was in no catalog is none":                {nil, []park.Going{{Alloc: "old", Until: at(10 * second)}}, []park.Backend{}},
		"a new one with the port of the old one has no end": {[]model.Registration{registered("new", 8080, model.StatusPassing)}, []park.Going{goes}, []park.Backend{{ID: "_nomad-new", Address: oldAt}}},
		"until its end the port is the old one's":           {[]model.Registration{registered("new", 8080, model.StatusCritical)}, []park.Going{goes}, []park.Backend{{ID: "old", Address: oldAt, Until: at(10 * second)}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := record(park.StepParking)
			r.Going, r.Written = tt.going, epoch
			got := park.Backends(park.Sighting{Record: r, First: epoch.Add(time.Second)}, tt.catalog)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("backends (-want +got):\n%s", diff)
			}
		})
	}
}
