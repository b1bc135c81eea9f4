package consul

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"

	consulapi "github.com/hashicorp/consul/api"

	"github.com/draingate/draingate/controller/model"
)

// AgentName is the name of the agent that is asked: the node that its services
// are registered with.
func (c *Client) AgentName(ctx context.Context) (string, error) {
	var self struct{ Config struct{ NodeName string } }
	if _, err := c.api.Raw().Query("/v1/agent/self", &self, c.query(ctx)); err != nil {
		return "", fmt.Errorf("ask the agent at %s for its name: %w", c.address, classifyLock(err, `agent_prefix "" { policy = "read" }`))
	}
	if self.Config.NodeName == "" {
		return "", fmt.Errorf("ask the agent at %s for its name: %w: it tells none", c.address, ErrUnreachable)
	}
	return self.Config.NodeName, nil
}

// LocalServices reads the services of the agent that is asked with their
// maintenance, sorted by ID. It lacks those that the token may not see, and does
// not tell: Consul says so in a header, which its API reads only beside another
// one that agents do not send (parseQueryMeta, api/api.go, v1.34.5). What is not
// here is therefore not known to be out of rotation before the catalog says so.
func (c *Client) LocalServices(ctx context.Context) ([]model.LocalService, error) {
	var services map[string]*consulapi.AgentService
	if err := c.local(ctx, "/v1/agent/services", &services); err != nil {
		return nil, err
	}
	var checks map[string]*consulapi.AgentCheck
	if err := c.local(ctx, "/v1/agent/checks", &checks); err != nil {
		return nil, err
	}
	critical := map[string]bool{}
	for _, check := range checks {
		critical[check.ServiceID] = critical[check.ServiceID] || check.Status == consulapi.HealthCritical
	}
	out := make([]model.LocalService, 0, len(services))
	for id, s := range services {
		l := model.LocalService{ID: id, Name: s.Service, Address: net.JoinHostPort(s.Address, strconv.Itoa(s.Port)), Critical: critical[id]}
		if check := checks[model.ServiceMaintenance+id]; check != nil {
			l.Maintenance, l.Reason = true, check.Notes
		}
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b model.LocalService) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

func (c *Client) local(ctx context.Context, path string, out any) error {
	if _, err := c.api.Raw().Query(path, out, c.query(ctx)); err != nil {
		return fmt.Errorf("read %s at %s: %w", path, c.address, classify(err, grantServices, grantNodes))
	}
	return nil
}

// SetMaintenance puts a service of the agent that is asked into maintenance, and
// returns the reason that it then has. Where someone else was faster that is
// theirs, and stays: Consul keeps the first one and tells nobody
// (EnableServiceMaintenance, agent/agent.go, v1.22.3). A service that is not there
// any more has none.
func (c *Client) SetMaintenance(ctx context.Context, serviceID, reason string) (string, error) {
	err := c.api.Agent().EnableServiceMaintenanceOpts(serviceID, reason, c.query(ctx))
	if status, ok := errors.AsType[consulapi.StatusError](err); ok && status.Code == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("put service %s into maintenance at %s: %w", serviceID, c.address, classifyLock(err, grantServiceWrite))
	}
	return c.maintenance(ctx, serviceID)
}

// grantServiceWrite is the rule for what is fenced.
const grantServiceWrite = `service_prefix "" { policy = "write" }`

// LiftMaintenance ends the maintenance of a service that has this reason, and
// leaves alone one that has another. It returns whether it ended one. A service
// that is not there any more has none.
func (c *Client) LiftMaintenance(ctx context.Context, serviceID, reason string) (bool, error) {
	is, err := c.maintenance(ctx, serviceID)
	if err != nil || is != reason {
		return false, err
	}
	err = c.api.Agent().DisableServiceMaintenanceOpts(serviceID, c.query(ctx))
	if status, ok := errors.AsType[consulapi.StatusError](err); ok && status.Code == http.StatusNotFound {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("end the maintenance of service %s at %s: %w", serviceID, c.address, classifyLock(err, grantServiceWrite))
	}
	return true, nil
}

// maintenance is the reason of a service's maintenance now, empty where it is in none.
func (c *Client) maintenance(ctx context.Context, serviceID string) (string, error) {
	var checks map[string]*consulapi.AgentCheck
	if err := c.local(ctx, "/v1/agent/checks", &checks); err != nil {
		return "", err
	}
	if check := checks[model.ServiceMaintenance+serviceID]; check != nil {
		return check.Notes, nil
	}
	return "", nil
}
