package harness

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	nomad "github.com/hashicorp/nomad/api"
)

// Instance is one allocation of a job with the address that it serves on.
type Instance struct {
	AllocID string
	// Name is the allocation's in Nomad, JOB.GROUP[INDEX].
	Name string
	// Version is the version of the job in Nomad, from 0.
	Version uint64
	Canary  bool
	// Group is the task group that the allocation is of.
	Group string
	// NodeID is the ID in Nomad of the node that it is placed on.
	NodeID string
	// Status is Nomad's client status of the allocation.
	Status string
	// Addr is the host:port of the port "http"; empty until it is placed.
	Addr string
}

// Terminal reports whether the instance's process has ended.
func (i Instance) Terminal() bool {
	return clientTerminal(&nomad.AllocationListStub{ClientStatus: i.Status})
}

// Instances returns every allocation that Nomad knows of a job, by version and
// then by ID.
func (s *Stack) Instances(ctx context.Context, jobID string) ([]Instance, error) {
	q := (&nomad.QueryOptions{}).WithContext(ctx)
	stubs, _, err := s.Nomad.Jobs().Allocations(jobID, true, q)
	if err != nil {
		return nil, fmt.Errorf("list the allocations of %s: %w", jobID, err)
	}
	var out []Instance
	for _, stub := range stubs {
		a, _, err := s.Nomad.Allocations().Info(stub.ID, q)
		if err != nil {
			return nil, fmt.Errorf("read allocation %s: %w", stub.ID, err)
		}
		out = append(out, instance(a))
	}
	slices.SortFunc(out, func(a, b Instance) int {
		return strings.Compare(fmt.Sprintf("%08d%s", a.Version, a.AllocID), fmt.Sprintf("%08d%s", b.Version, b.AllocID))
	})
	return out, nil
}

func instance(a *nomad.Allocation) Instance {
	i := Instance{AllocID: a.ID, Name: a.Name, Group: a.TaskGroup, NodeID: a.NodeID, Status: a.ClientStatus}
	if a.Job != nil && a.Job.Version != nil {
		i.Version = *a.Job.Version
	}
	i.Canary = a.DeploymentStatus != nil && a.DeploymentStatus.Canary
	if a.AllocatedResources != nil {
		for _, p := range a.AllocatedResources.Shared.Ports {
			if p.Label == "http" {
				i.Addr = net.JoinHostPort(p.HostIP, strconv.Itoa(p.Value))
			}
		}
	}
	return i
}

// SetReady turns an instance's /readyz to 503, or back, without affecting what
// it answers otherwise.
func (s *Stack) SetReady(ctx context.Context, i Instance, ok bool) error {
	if err := put(ctx, i, fmt.Sprintf("/admin/ready?ok=%t", ok)); err != nil {
		return fmt.Errorf("set readiness of %s: %w", i.AllocID, err)
	}
	return nil
}

// Exit ends an instance's process at once, as a crash does.
func (s *Stack) Exit(ctx context.Context, i Instance) error {
	if err := put(ctx, i, "/admin/exit"); err != nil {
		return fmt.Errorf("end the process of %s: %w", i.AllocID, err)
	}
	return nil
}

func put(ctx context.Context, i Instance, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+i.Addr+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("PUT %s: %s", path, resp.Status)
	}
	return nil
}
