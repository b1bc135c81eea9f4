package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	consulapi "github.com/hashicorp/consul/api"

	"github.com/draingate/draingate/controller/model"
)

const (
	// placeholderEvery and placeholderTime are the interval and the timeout of the
	// check of a placeholder: one whose owner is gone leaves the pool within them.
	placeholderEvery, placeholderTime = time.Second, time.Second
	// placeholderDead is after how long Consul removes one whose owner is gone: the
	// least that it takes (agent/config/default.go, v1.22.3).
	placeholderDead = time.Minute
)

// CheckHeader is the header of the check of a placeholder, whose value is the
// placeholder's secret.
const CheckHeader = "X-Draingate-Check"

// RegisterPlaceholder registers a placeholder with the agent that is asked, or
// replaces the one of its ID. It passes at once; its check finds out whether its
// listener answers.
func (c *Client) RegisterPlaceholder(ctx context.Context, p model.Placeholder) error {
	check := &consulapi.AgentServiceCheck{
		CheckID: p.ID + ":alive", Name: "draingate answers", Status: consulapi.HealthPassing,
		HTTP:     (&url.URL{Scheme: "http", Host: p.HostPort, Path: "/"}).String(),
		Header:   map[string][]string{CheckHeader: {p.Secret}},
		Interval: placeholderEvery.String(), Timeout: placeholderTime.String(),
		DeregisterCriticalServiceAfter: placeholderDead.String(),
	}
	registration := &consulapi.AgentServiceRegistration{
		ID: p.ID, Name: p.Service, Address: p.Address, Port: p.Port, Tags: p.Tags, Meta: p.Meta, Checks: consulapi.AgentServiceChecks{check},
	}
	options := consulapi.ServiceRegisterOpts{ReplaceExistingChecks: true}.WithContext(ctx)
	if err := c.api.Agent().ServiceRegisterOpts(registration, options); err != nil {
		return fmt.Errorf("register a placeholder of service %q at %s: %w", p.Service, c.address, classifyLock(err, grantServiceWrite))
	}
	return nil
}

// Deregister removes a service from the agent that is asked. One that is not there
// is no error.
func (c *Client) Deregister(ctx context.Context, serviceID string) error {
	err := c.api.Agent().ServiceDeregisterOpts(serviceID, c.query(ctx))
	if status, ok := errors.AsType[consulapi.StatusError](err); ok && status.Code == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove service %s from %s: %w", serviceID, c.address, classifyLock(err, grantServiceWrite))
	}
	return nil
}

// AgentAddress is the address that the agent advertises to others.
func (c *Client) AgentAddress(ctx context.Context) (string, error) {
	var self struct{ Member struct{ Addr string } }
	if _, err := c.api.Raw().Query("/v1/agent/self", &self, c.query(ctx)); err != nil {
		return "", fmt.Errorf("ask the agent at %s for its address: %w", c.address, classifyLock(err, `agent_prefix "" { policy = "read" }`))
	}
	if self.Member.Addr == "" {
		return "", fmt.Errorf("ask the agent at %s for its address: %w: it tells none", c.address, ErrUnreachable)
	}
	return self.Member.Addr, nil
}

// WatchService reads all instances of a service, and waits with an index until
// they change from there on or the time is over. Such an answer may come from the
// agent's own view, which lags behind the servers: it serves to pass requests on, not to
// decide.
func (c *Client) WatchService(ctx context.Context, name string, index uint64, wait time.Duration) ([]model.Registration, uint64, error) {
	options := c.query(ctx)
	options.WaitIndex, options.WaitTime = index, wait
	entries, meta, err := c.api.Health().Service(name, "", false, options)
	if err != nil {
		return nil, 0, fmt.Errorf("watch instances of service %q: %w", name, classify(err, grantService(name), grantNodes))
	}
	if meta.ResultsFilteredByACLs {
		return nil, 0, fmt.Errorf("watch instances of service %q: %w", name, c.filtered(ctx, name))
	}
	return convertEntries(entries), meta.LastIndex, nil
}
