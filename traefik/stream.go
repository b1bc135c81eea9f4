package traefik

import (
	"fmt"
	"maps"
	"slices"

	"github.com/draingate/draingate/controller/model"
)

// stream reports whether the tags ask for TCP or UDP.
func (c *dynamicConfig) stream() bool { return c.tcp() || c.udp() }

func (c *dynamicConfig) tcp() bool { return len(c.TCP.Routers) > 0 || len(c.TCP.Services) > 0 }

func (c *dynamicConfig) udp() bool { return len(c.UDP.Routers) > 0 || len(c.UDP.Services) > 0 }

// checkStream finds what would make the provider give the instance up because
// of its TCP or UDP tags. Nothing else about them is read.
func (c *dynamicConfig) checkStream(reg model.Registration) error {
	if !c.stream() {
		return nil
	}
	if reg.Address == "" {
		return fmt.Errorf("instance %s has no address", reg.ServiceID)
	}
	for _, name := range slices.Sorted(maps.Keys(c.TCP.Services)) {
		if c.TCP.Services[name].LoadBalancer == nil {
			return noLoadBalancer("TCP", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.UDP.Services)) {
		if c.UDP.Services[name].LoadBalancer == nil {
			return noLoadBalancer("UDP", name)
		}
	}
	return nil
}

func noLoadBalancer(kind, name string) error {
	return fmt.Errorf("%s service %s: has no loadBalancer tag: tags can define no other kind of service", kind, name)
}
