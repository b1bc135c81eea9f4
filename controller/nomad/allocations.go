package nomad

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	nomadapi "github.com/hashicorp/nomad/api"
	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/controller/model"
)

// parallelReads bounds the reads of single allocations at one time. An agent
// allows 100 connections from one address (http_max_conns_per_client).
const parallelReads = 8

// forgetAfter is how long the allocations of a job that nobody asks for are kept.
const forgetAfter = 10 * time.Minute

// Allocations reads all allocations of a job, of every version, also those that
// are told to stop, in order of creation. Those whose processes have not ended
// carry the job they run; it is shared between calls and must not be changed.
//
// A list does not hold the job, nor the deployment's ID, nor the wish to
// migrate: each allocation is read on its own, once for every state that it is
// listed in.
func (c *Client) Allocations(ctx context.Context, namespace, jobID string) ([]model.Allocation, error) {
	stubs, _, err := c.api.Jobs().Allocations(jobID, true, query(ctx, namespace))
	if err := classify(err, grantRead(namespace)); err != nil {
		return nil, fmt.Errorf("list allocations of job %s: %w", jobID, err)
	}
	stubs = withoutNils(stubs)
	before := c.allocations.get(namespace, jobID)
	out := make([]model.Allocation, len(stubs))
	read := make([]readAllocation, len(stubs))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(parallelReads)
	for i, stub := range stubs {
		listed := convertStub(stub)
		if listed.ClientTerminal() {
			out[i] = listed
			continue
		}
		group.Go(func() (err error) {
			read[i], err = c.allocation(groupCtx, namespace, stub, before[stub.ID])
			out[i] = read[i].overlay(listed, stub.ModifyIndex)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	c.allocations.put(namespace, jobID, read)
	slices.SortFunc(out, func(a, b model.Allocation) int {
		return cmp.Or(cmp.Compare(a.CreateIndex, b.CreateIndex), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// allocation returns what was read before if the list shows the same state, and
// reads it otherwise.
func (c *Client) allocation(ctx context.Context, namespace string, stub *nomadapi.AllocationListStub, before readAllocation) (readAllocation, error) {
	if before.modifyIndex == stub.ModifyIndex && before.jobVersion() == stub.JobVersion {
		return before, nil
	}
	a, _, err := c.api.Allocations().Info(stub.ID, query(ctx, namespace))
	if err := classify(err, grantRead(namespace)); err != nil {
		return readAllocation{}, fmt.Errorf("read allocation %s: %w", model.Short(stub.ID), err)
	}
	if a.ModifyIndex < stub.ModifyIndex {
		return readAllocation{}, fmt.Errorf("read allocation %s: it is older than the list", model.Short(stub.ID))
	}
	return readAllocation{Allocation: convertAllocation(a), modifyIndex: a.ModifyIndex}, nil
}

// readAllocation is an allocation as it was read on its own.
type readAllocation struct {
	model.Allocation
	modifyIndex uint64
}

// jobVersion is that of the job it carries, or one that no job has.
func (r readAllocation) jobVersion() uint64 {
	if r.Job == nil {
		return ^uint64(0)
	}
	return r.Job.Version
}

// overlay returns the allocation with the list's word on whatever a list says,
// unless the allocation was read after a later change than that of the list.
func (r readAllocation) overlay(listed model.Allocation, listIndex uint64) model.Allocation {
	if r.modifyIndex != listIndex {
		return r.Allocation
	}
	listed.DeploymentID, listed.Migrating, listed.Job = r.DeploymentID, r.Migrating, r.Job
	return listed
}

// allocationCache keeps what was read of the allocations of each job that is
// asked for. The zero value is ready to use.
type allocationCache struct {
	mu   sync.Mutex
	jobs map[[2]string]cachedJob
}

type cachedJob struct {
	used        time.Time
	allocations map[string]readAllocation
}

func (c *allocationCache) get(namespace, jobID string) map[string]readAllocation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.jobs[[2]string{namespace, jobID}].allocations
}

// put replaces what is kept of a job, so that allocations which left the list
// are forgotten, and forgets jobs that nobody asked for in a while.
func (c *allocationCache) put(namespace, jobID string, read []readAllocation) {
	job := cachedJob{used: time.Now(), allocations: make(map[string]readAllocation, len(read))}
	for _, r := range read {
		if r.ID != "" {
			job.allocations[r.ID] = r
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.jobs == nil {
		c.jobs = make(map[[2]string]cachedJob)
	}
	c.jobs[[2]string{namespace, jobID}] = job
	for key, other := range c.jobs {
		if job.used.Sub(other.used) > forgetAfter {
			delete(c.jobs, key)
		}
	}
}
