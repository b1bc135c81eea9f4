package consul

import (
	"cmp"
	"slices"

	consulapi "github.com/hashicorp/consul/api"

	"github.com/draingate/draingate/controller/model"
)

func convertEntries(entries []*consulapi.ServiceEntry) []model.Registration {
	out := make([]model.Registration, 0, len(entries))
	for _, e := range entries {
		if e != nil && e.Service != nil {
			out = append(out, convertEntry(e))
		}
	}
	slices.SortFunc(out, func(a, b model.Registration) int {
		return cmp.Or(cmp.Compare(a.ServiceID, b.ServiceID), cmp.Compare(a.Node, b.Node))
	})
	return out
}

func convertEntry(e *consulapi.ServiceEntry) model.Registration {
	node := consulapi.Node{}
	if e.Node != nil {
		node = *e.Node
	}
	out := model.Registration{
		ServiceID:   e.Service.ID,
		ServiceName: e.Service.Service,
		AllocID:     AllocID(e.Service.ID),
		Node:        node.Node,
		Address:     cmp.Or(e.Service.Address, node.Address),
		Port:        e.Service.Port,
		Tags:        e.Service.Tags,
		Meta:        e.Service.Meta,
		Status:      e.Checks.AggregatedStatus(),
	}
	for _, c := range e.Checks {
		out.Checks = append(out.Checks, convertCheck(c))
	}
	slices.SortFunc(out.Checks, func(a, b model.CheckStatus) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func convertCheck(c *consulapi.HealthCheck) model.CheckStatus {
	return model.CheckStatus{
		ID:          c.CheckID,
		Name:        c.Name,
		ServiceID:   c.ServiceID,
		Status:      c.Status,
		Output:      c.Output,
		Notes:       c.Notes,
		ModifyIndex: c.ModifyIndex,
	}
}
