package nomad

import (
	"bytes"
	"encoding/json"
	"os"
	"sync/atomic"
	"testing"

	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return text
}

func TestAllocationsCarryTheirOwnJobs(t *testing.T) {
	t.Parallel()
	var reads atomic.Int32
	client := serveRecorded(t, &reads, func(_ string, body []byte) []byte { return body })
	got, err := client.Allocations(t.Context(), "other", "recorded")
	require.NoError(t, err)
	require.Len(t, got, 3)
	byVersion := map[uint64]model.Allocation{}
	for i, a := range got {
		if a.ClientTerminal() {
			require.Nil(t, a.Job, "a terminal allocation needs no job")
			continue
		}
		byVersion[a.Job.Version] = a
		if i > 0 {
			require.Greater(t, a.CreateIndex, got[i-1].CreateIndex, "in order of creation")
		}
	}
	require.False(t, byVersion[0].Canary)
	require.True(t, byVersion[2].Canary)
	require.NotEqual(t, byVersion[0].DeploymentID, byVersion[2].DeploymentID)
}

func TestAllocationsAreReadAgainOnlyWhenTheyChanged(t *testing.T) {
	t.Parallel()
	var reads atomic.Int32
	edit := atomic.Pointer[func(string, []byte) []byte]{}
	set := func(f func(string, []byte) []byte) { edit.Store(&f) }
	set(func(_ string, body []byte) []byte { return body })
	client := serveRecorded(t, &reads, func(name string, body []byte) []byte { return (*edit.Load())(name, body) })
	list := func() []model.Allocation {
		got, err := client.Allocations(t.Context(), "other", "recorded")
		require.NoError(t, err)
		return got
	}
	first := list()
	alive := reads.Load()
	require.Equal(t, first, list())
	require.Equal(t, alive, reads.Load(), "the same list needs no further read")

	set(func(name string, body []byte) []byte {
		if name != "allocations" {
			return body
		}
		return bytes.ReplaceAll(body, []byte(`"ClientStatus": "running"`), []byte(`"ClientStatus": "pending"`))
	})
	for _, a := range list() {
		if !a.ClientTerminal() {
			require.Equal(t, model.ClientPending, a.ClientStatus, "the list's word on the status counts")
			require.NotNil(t, a.Job)
		}
	}
	require.Equal(t, alive, reads.Load())

	set(bumpModifyIndex(t))
	list()
	require.Equal(t, 2*alive, reads.Load(), "a change is read")

	set(func(name string, body []byte) []byte {
		if name == "allocations" {
			return []byte("[]")
		}
		return body
	})
	require.Empty(t, list())
	set(bumpModifyIndex(t))
	list()
	require.Equal(t, 3*alive, reads.Load(), "what left the list is forgotten")
}

// bumpModifyIndex moves every allocation's index in the list and in itself.
func bumpModifyIndex(t *testing.T) func(string, []byte) []byte {
	return func(name string, body []byte) []byte {
		if name == "allocations" {
			var stubs []*nomadapi.AllocationListStub
			return edited(t, body, &stubs, func() {
				for _, s := range stubs {
					s.ModifyIndex += 100
				}
			})
		}
		var a nomadapi.Allocation
		return edited(t, body, &a, func() { a.ModifyIndex += 100 })
	}
}

func edited(t *testing.T, body []byte, into any, edit func()) []byte {
	if err := json.Unmarshal(body, into); err != nil {
		t.Error(err)
	}
	edit()
	out, err := json.Marshal(into)
	if err != nil {
		t.Error(err)
	}
	return out
}

func TestAllocationsFailWithAnyOfThem(t *testing.T) {
	t.Parallel()
	client := serveRecorded(t, new(atomic.Int32), func(name string, body []byte) []byte {
		if name == "allocation-old" {
			return []byte("{")
		}
		return body
	})
	_, err := client.Allocations(t.Context(), "other", "recorded")
	require.ErrorIs(t, err, ErrUnreachable)
	client = serveRecorded(t, new(atomic.Int32), func(name string, body []byte) []byte {
		if name != "allocations" {
			return body
		}
		return bumpModifyIndex(t)(name, body)
	})
	_, err = client.Allocations(t.Context(), "other", "recorded")
	require.ErrorContains(t, err, "older than the list")
}
