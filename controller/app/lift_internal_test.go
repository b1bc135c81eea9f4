package app

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	consulapi "github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/cli/exit"
	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// oneKey is a Consul with one key, which is written by check-and-set.
type oneKey struct {
	mu   sync.Mutex
	pair *consulapi.KVPair
	// meanwhile, where set, is what somebody else writes ahead of each write.
	meanwhile func(*consulapi.KVPair)
	writes    int
}

func (o *oneKey) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	w.Header().Set("X-Consul-Index", "7")
	w.Header().Set("X-Consul-KnownLeader", "true")
	w.Header().Set("X-Consul-LastContact", "0")
	switch {
	case r.Method == http.MethodGet && o.pair == nil:
		http.Error(w, "", http.StatusNotFound)
	case r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode([]*consulapi.KVPair{o.pair})
	default:
		if o.meanwhile != nil {
			o.meanwhile(o.pair)
		}
		index, _ := json.Marshal(o.pair.ModifyIndex)
		if r.URL.Query().Get("cas") != string(index) {
			_, _ = io.WriteString(w, "false")
			return
		}
		o.pair.Value, _ = io.ReadAll(r.Body)
		o.pair.ModifyIndex++
		o.writes++
		_, _ = io.WriteString(w, "true")
	}
}

func lifterOf(t *testing.T, handler http.Handler) *FenceLifter {
	t.Helper()
	return &FenceLifter{client: consulOf(t, handler), keys: fence.KeysUnder("draingate/leader"), now: func() time.Time { return time.Unix(100, 0).UTC() }}
}

func stored(t *testing.T, r fence.Record) *oneKey {
	t.Helper()
	return &oneKey{pair: &consulapi.KVPair{Key: "draingate/leader/fences/default/" + r.Deployment, Value: encoded(t, r), Session: "s", ModifyIndex: 9}}
}

func TestAPersonEndsAFence(t *testing.T) {
	before := fencedRecord(fence.StepFencing)
	before.Pause, before.Rolling = true, true
	consul := stored(t, before)
	got, done, err := lifterOf(t, consul).Lift(t.Context(), before.Key(), false)
	require.NoError(t, err)
	require.True(t, done)
	after, err := fence.Decode(consul.pair.Value)
	require.NoError(t, err)
	require.NotEmpty(t, after.Mark)
	require.NotEqual(t, before.Mark, after.Mark, "what was acknowledged is another record now")
	require.True(t, strings.HasPrefix(after.Owner, "draingate fence lift on "), after.Owner)
	want := before
	want.Step, want.Call, want.Set, want.Seq = fence.StepEnded, "", nil, before.Seq+1
	want.Reason, want.Message = fence.ReasonFenceAborted, "lifted by a person"
	want.Mark, want.Owner, want.Written = after.Mark, after.Owner, time.Unix(100, 0).UTC()
	if diff := cmp.Diff(want, after); diff != "" {
		t.Errorf("the record (-want +got):\n%s", diff)
	}
	require.Equal(t, "ended", got.Step)
	require.Equal(t, "s", consul.pair.Session, "the lock is left alone")
}

func TestAnArmedFenceIsLiftedByForceAlone(t *testing.T) {
	consul := stored(t, fencedRecord(fence.StepArmed))
	_, done, err := lifterOf(t, consul).Lift(t.Context(), fencedRecord("").Key(), false)
	require.ErrorContains(t, err, "is armed: a call to Nomad that stops web.app[0] may be on its way")
	require.ErrorContains(t, err, "--force")
	require.Equal(t, exit.Failed, exit.Code(err))
	require.False(t, done)
	require.Zero(t, consul.writes)
	_, done, err = lifterOf(t, consul).Lift(t.Context(), fencedRecord("").Key(), true)
	require.NoError(t, err)
	require.True(t, done)
}

func TestAFenceThatIsArmedInTheMeantimeIsRefused(t *testing.T) {
	consul := stored(t, fencedRecord(fence.StepFencing))
	consul.meanwhile = func(p *consulapi.KVPair) {
		p.Value, p.ModifyIndex = encoded(t, fencedRecord(fence.StepArmed)), p.ModifyIndex+1
	}
	_, _, err := lifterOf(t, consul).Lift(t.Context(), fencedRecord("").Key(), false)
	require.ErrorContains(t, err, "is armed")
	require.Zero(t, consul.writes)
	_, _, err = lifterOf(t, consul).Lift(t.Context(), fencedRecord("").Key(), true)
	require.ErrorContains(t, err, "wrote it 5 times in the meantime: try again")
	require.Zero(t, consul.writes)
}

func TestWhatHasEndedIsNotWritten(t *testing.T) {
	r := fencedRecord(fence.StepEnded)
	r.Message = "no proof"
	consul := stored(t, r)
	got, done, err := lifterOf(t, consul).Lift(t.Context(), r.Key(), true)
	require.NoError(t, err)
	require.False(t, done)
	require.Equal(t, "no proof", got.Message)
	require.Zero(t, consul.writes)

	_, _, err = lifterOf(t, &oneKey{}).Lift(t.Context(), r.Key(), true)
	require.ErrorContains(t, err, "is gone")
	_, _, err = lifterOf(t, consul).Lift(t.Context(), model.Key{Namespace: "shop", Deployment: r.Deployment}, true)
	require.ErrorContains(t, err, "key draingate/leader/fences/shop/"+r.Deployment+" is gone", "a key that begins alike is another")
}

func TestLocalFencesAreThoseOfDraingate(t *testing.T) {
	var lifted []string
	l := lifterOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/agent/self":
			_, _ = io.WriteString(w, `{"Config": {"NodeName": "n1"}}`)
		case "/v1/agent/services":
			_, _ = io.WriteString(w, `{"a": {"ID": "a"}, "b": {"ID": "b"}, "c": {"ID": "c"}}`)
		case "/v1/agent/checks":
			_, _ = io.WriteString(w, `{"_service_maintenance:a": {"Notes": "draingate/d"}, "_service_maintenance:b": {"Notes": "disk is full"}}`)
		default:
			lifted = append(lifted, r.URL.RequestURI())
		}
	}))
	agent, got, err := l.Local(t.Context())
	require.NoError(t, err)
	require.Equal(t, "n1", agent)
	require.Equal(t, []status.LocalFence{{Service: "a", Deployment: "d"}}, got)
	done, err := l.LiftLocal(t.Context(), got[0])
	require.NoError(t, err)
	require.True(t, done)
	done, err = l.LiftLocal(t.Context(), status.LocalFence{Service: "b", Deployment: "d"})
	require.NoError(t, err)
	require.False(t, done)
	require.Equal(t, []string{"/v1/agent/service/maintenance/a?enable=false"}, lifted)

	l = lifterOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "Permission denied", http.StatusForbidden) }))
	_, _, err = l.Local(t.Context())
	require.Equal(t, exit.CannotSee, exit.Code(err))
	_, err = l.Fences(t.Context())
	require.Equal(t, exit.CannotSee, exit.Code(err))
}
