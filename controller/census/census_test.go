package census

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// fakeNomad has jobs by ID, and tells of a change where it is told to.
type fakeNomad struct {
	mu        sync.Mutex
	jobs      map[string]*model.Job
	overrides map[string]map[string]string
	err       error
	asked     int
	tell      func([]model.JobStub)
	variables func()
	watched   map[string]func()
}

func newNomad(jobs ...*model.Job) *fakeNomad {
	n := &fakeNomad{jobs: map[string]*model.Job{}, overrides: map[string]map[string]string{}, watched: map[string]func(){}}
	for _, j := range jobs {
		n.jobs[j.ID] = j
	}
	return n
}

// asks is a job that asks to be parked for, for the services.
func asks(id string, version uint64, services ...string) *model.Job {
	j := &model.Job{ID: id, Namespace: "default", Version: version, Meta: map[string]string{"draingate_park": "30s"}, Groups: []model.Group{{Name: "app"}}}
	for _, s := range services {
		j.Groups[0].Services = append(j.Groups[0].Services, model.Service{Name: s})
	}
	return j
}

func (n *fakeNomad) with(do func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do()
}

// list tells of all jobs as Nomad does.
func (n *fakeNomad) list() {
	n.mu.Lock()
	var out []model.JobStub
	for id, j := range n.jobs {
		out = append(out, model.JobStub{Namespace: "default", ID: id, ModifyIndex: j.Version})
	}
	tell := n.tell
	n.mu.Unlock()
	tell(out)
	synctest.Wait()
}

func (n *fakeNomad) WatchJobs(ctx context.Context, tell func([]model.JobStub)) error {
	n.with(func() { n.tell = tell })
	<-ctx.Done()
	return nil
}

func (n *fakeNomad) WatchAllocations(ctx context.Context, _, id string, changed func()) {
	n.with(func() { n.watched[id] = changed })
	<-ctx.Done()
	n.with(func() { delete(n.watched, id) })
}

func (n *fakeNomad) WatchOverrides(ctx context.Context, changed func()) {
	n.with(func() { n.variables = changed })
	<-ctx.Done()
}

func (n *fakeNomad) LatestJob(_ context.Context, _, id string) (*model.Job, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	return n.jobs[id], n.err
}

func (n *fakeNomad) Allocations(_ context.Context, _, id string) ([]model.Allocation, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return []model.Allocation{{ID: id + "-1"}}, n.err
}

func (n *fakeNomad) Overrides(_ context.Context, _, id string) (model.Overrides, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return model.Overrides{Values: n.overrides[id]}, n.err
}

// running is a census in a bubble, with the services that were to be looked at.
type running struct {
	*Census
	mu     sync.Mutex
	queued []string
}

// looked are those since it was last asked.
func (r *running) looked() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.queued
	r.queued = nil
	return out
}

func inBubble(t *testing.T, n *fakeNomad, do func(*testing.T, *running)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &running{}
		r.Census = New(n, func(service string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.queued = append(r.queued, service)
		})
		ctx, cancel := context.WithCancel(t.Context())
		end := make(chan error, 1)
		go func() { end <- r.Run(ctx) }()
		synctest.Wait()
		n.list()
		do(t, r)
		cancel()
		require.NoError(t, <-end)
		require.Empty(t, n.watched, "nothing is watched any more")
	})
}

func TestTheServicesOfJobsThatAskAreLookedAt(t *testing.T) {
	n := newNomad(asks("a", 1, "web", "api"), asks("b", 1, "web"), &model.Job{ID: "c", Groups: []model.Group{{Name: "app", Services: []model.Service{{Name: "db"}}}}})
	inBubble(t, n, func(t *testing.T, r *running) {
		require.ElementsMatch(t, []string{"web", "api", "web"}, r.looked())
		n.watched["a"]()
		require.Equal(t, []string{"api", "web"}, r.looked(), "its allocations changed")
		require.NotContains(t, n.watched, "c")

		facts := r.JobsOf(t.Context(), "web")
		require.Len(t, facts, 2)
		require.Equal(t, "a b", facts[0].Job.Value.ID+" "+facts[1].Job.Value.ID)
		require.Equal(t, "b-1", facts[1].Allocations.Value[0].ID)
		require.Empty(t, r.JobsOf(t.Context(), "db"))
		n.with(func() { n.err = errors.New("refused") })
		facts = r.JobsOf(t.Context(), "api")
		require.Equal(t, []string{"refused", "refused", "refused"}, []string{facts[0].Job.Err, facts[0].Allocations.Err, facts[0].Overrides.Err})
		require.False(t, facts[0].Job.Known())
	})
}

func TestOnlyWhatChangedIsReadAgain(t *testing.T) {
	n := newNomad(asks("a", 1, "web"), asks("b", 1, "api"))
	inBubble(t, n, func(t *testing.T, r *running) {
		r.looked()
		require.Equal(t, 2, n.asked)
		n.list()
		time.Sleep(time.Minute)
		require.Empty(t, r.looked())
		require.Equal(t, 2, n.asked)
		n.with(func() { n.jobs["a"] = asks("a", 2, "shop") })
		n.list()
		require.Equal(t, []string{"web", "shop"}, r.looked(), "what it does not ask for any more has to be ended")
		require.Equal(t, 3, n.asked)
		require.Empty(t, r.JobsOf(t.Context(), "web"))
	})
}

func TestAJobThatAsksNoMoreIsForgotten(t *testing.T) {
	n := newNomad(asks("a", 1, "web"))
	inBubble(t, n, func(t *testing.T, r *running) {
		r.looked()
		n.with(func() { delete(n.jobs, "a") })
		n.list()
		require.Equal(t, []string{"web"}, r.looked())
		require.Empty(t, n.watched)
		require.Empty(t, r.JobsOf(t.Context(), "web"))
	})
}

func TestAVariableMayPauseAnyJob(t *testing.T) {
	quiet := asks("a", 1, "web")
	quiet.Meta = nil
	n := newNomad(quiet)
	inBubble(t, n, func(t *testing.T, r *running) {
		require.Empty(t, r.looked())
		n.with(func() { n.overrides["a"] = map[string]string{model.OverridePause: "web=2026-01-02T15:04:05Z"} })
		n.variables()
		require.Equal(t, []string{"web"}, r.looked())
		n.with(func() { clear(n.overrides) })
		n.variables()
		require.Equal(t, []string{"web"}, r.looked(), "a person resumed it")
		require.Empty(t, n.watched)
	})
}

// What cannot be read stays as it was, and is tried again after a while.
func TestAJobThatCannotBeReadStaysAsItWas(t *testing.T) {
	n := newNomad(asks("a", 1, "web"))
	inBubble(t, n, func(t *testing.T, r *running) {
		r.looked()
		n.with(func() { n.jobs["a"], n.err = asks("a", 2, "shop"), errors.New("refused") })
		n.list()
		asked := n.asked
		n.list()
		require.Equal(t, asked, n.asked, "not at once")
		require.Empty(t, r.looked())
		require.Len(t, r.JobsOf(t.Context(), "web"), 1)
		n.with(func() { n.err = nil })
		time.Sleep(2 * retry)
		require.Equal(t, []string{"web", "shop"}, slices.Compact(r.looked()))
	})
}
