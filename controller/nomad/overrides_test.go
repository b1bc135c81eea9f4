package nomad

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// variables is a Nomad that has nothing but variables, each with an index.
type variables struct {
	mu    sync.Mutex
	items map[string]nomadapi.Variable
	// meanwhile, where set, is called once, ahead of the next write.
	meanwhile func(map[string]nomadapi.Variable)
}

func (v *variables) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	path := r.URL.Query().Get("namespace") + "/" + strings.TrimPrefix(r.URL.Path, "/v1/var/")
	if r.Method != http.MethodGet && v.meanwhile != nil {
		v.meanwhile(v.items)
		v.meanwhile = nil
	}
	now, is := v.items[path]
	switch {
	case r.Method == http.MethodGet && !is:
		http.Error(w, "variable not found", http.StatusNotFound)
	case r.Method != http.MethodGet && r.URL.Query().Get("cas") != index(now):
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(now)
	case r.Method == http.MethodPut:
		var next nomadapi.Variable
		_ = json.NewDecoder(r.Body).Decode(&next)
		next.ModifyIndex = now.ModifyIndex + 1
		v.items[path] = next
		_ = json.NewEncoder(w).Encode(next)
	case r.Method == http.MethodDelete:
		delete(v.items, path)
		w.WriteHeader(http.StatusNoContent)
	default:
		_ = json.NewEncoder(w).Encode(now)
	}
}

func index(v nomadapi.Variable) string {
	text, _ := json.Marshal(v.ModifyIndex)
	return string(text)
}

func variable(index uint64, items map[string]string) nomadapi.Variable {
	return nomadapi.Variable{ModifyIndex: index, ModifyTime: int64(index) * int64(time.Second), Items: items}
}

func TestOverridesAreReadOfTheJobAndOfEveryJob(t *testing.T) {
	t.Parallel()
	v := &variables{items: map[string]nomadapi.Variable{
		"a/draingate/jobs/web":  variable(1, map[string]string{"mode": "observe"}),
		"a/draingate/jobs/~2A":  variable(2, map[string]string{"freeze": "audit", "mode": "off"}),
		"b/draingate/jobs/web":  variable(1, map[string]string{"mode": "off"}),
		"a/draingate/jobs/web2": variable(1, map[string]string{"mode": "off"}),
	}}
	client := clientOf(t, v.ServeHTTP)
	got, err := client.Overrides(t.Context(), "a", "web")
	require.NoError(t, err)
	require.Equal(t, model.Overrides{
		Frozen: map[string]string{"draingate/jobs/~2A": "audit"},
		Values: map[string]string{"mode": "observe"}, Sources: map[string]string{"mode": "draingate/jobs/web"},
		Written: map[string]time.Time{"draingate/jobs/web": time.Unix(1, 0), "draingate/jobs/~2A": time.Unix(2, 0)},
	}, got)
	got, err = client.Overrides(t.Context(), "c", "web")
	require.NoError(t, err)
	require.Equal(t, model.Overrides{}, got)
}

func TestOverridesThatCannotBeReadAreNotNone(t *testing.T) {
	t.Parallel()
	client := clientOf(t, refuse(403, "Permission denied"))
	_, err := client.Overrides(t.Context(), "a", "web")
	require.ErrorIs(t, err, ErrForbidden)
	require.ErrorContains(t, err, `read on the variables "draingate/jobs/*" in namespace "a"`)
}

func TestAnEditLosesNothingThatSomebodyElseWrites(t *testing.T) {
	t.Parallel()
	v := &variables{items: map[string]nomadapi.Variable{"a/draingate/jobs/web": variable(7, map[string]string{"mode": "observe"})}}
	v.meanwhile = func(all map[string]nomadapi.Variable) {
		all["a/draingate/jobs/web"] = variable(8, map[string]string{"mode": "observe", "hold_deadline": "1h"})
	}
	client := clientOf(t, v.ServeHTTP)
	freeze := func(items map[string]string) { items["freeze"] = "audit" }
	got, err := client.EditOverride(t.Context(), "a", "web", freeze)
	require.NoError(t, err)
	want := map[string]string{"mode": "observe", "hold_deadline": "1h", "freeze": "audit"}
	require.Equal(t, want, got)
	got, err = client.Override(t.Context(), "a", "web")
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestAVariableWithoutItemsIsDeleted(t *testing.T) {
	t.Parallel()
	v := &variables{items: map[string]nomadapi.Variable{}}
	client := clientOf(t, v.ServeHTTP)
	_, err := client.EditOverride(t.Context(), "a", "web", func(items map[string]string) { items["freeze"] = "audit" })
	require.NoError(t, err)
	require.Len(t, v.items, 1)
	got, err := client.EditOverride(t.Context(), "a", "web", func(items map[string]string) { delete(items, "freeze") })
	require.NoError(t, err)
	require.Empty(t, got)
	require.Empty(t, v.items)
}

func TestTheLatestDeploymentOfAJob(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   *model.Deployment
		err    string
	}{
		"one that is paused": {func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewEncoder(w).Encode(nomadapi.Deployment{ID: "d", Namespace: r.URL.Query().Get("namespace"), JobID: strings.Split(r.URL.Path, "/")[3], Status: "paused"})
		}, &model.Deployment{ID: "d", Namespace: "shop", JobID: "web", Status: model.DeploymentPaused}, ""},
		"none":                    {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("null")) }, nil, ""},
		"of a job that is not":    {refuse(404, "job not found"), nil, ""},
		"that may not be seen":    {refuse(403, "Permission denied"), nil, `the token needs read-job in namespace "shop"`},
		"where Nomad is in pains": {refuse(500, "No cluster leader"), nil, "latest deployment of job web in namespace shop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := clientOf(t, tt.answer).LatestDeployment(t.Context(), "shop", "web")
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}
