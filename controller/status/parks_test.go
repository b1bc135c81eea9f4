package status_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/status"
)

// parksAt is an endpoint whose parks are what the function says.
func parksAt(t *testing.T, parks func() (status.ParkList, error)) *status.Client {
	t.Helper()
	srv, err := status.Listen(t.Context(), "127.0.0.1:0", status.NewHandler(status.Options{Store: status.NewStore(), Parks: parks}))
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(t.Context()) }()
	t.Cleanup(func() { require.NoError(t, <-served) })
	client, err := status.NewClient(srv.Addr().String())
	require.NoError(t, err)
	t.Cleanup(client.CloseIdle)
	return client
}

func TestParksAreAnsweredAsTheyAre(t *testing.T) {
	want := documentedParks()
	list, err := parksAt(t, func() (status.ParkList, error) { return documentedParks(), nil }).Parks(t.Context())
	require.NoError(t, err)
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
	require.Equal(t, "db", list.Of("db").Job)
	require.Nil(t, list.Of("web"))
	require.Empty(t, list.In("team").Parks)
	require.Len(t, list.In("default").Parks, 1)
	require.Len(t, list.In("").Parks, 1)
}

func TestNoParkIsAnEmptyListAndShowsNoCredentials(t *testing.T) {
	list, err := parksAt(t, nil).Parks(t.Context())
	require.NoError(t, err)
	require.Equal(t, "no services are parked for here", list.Problem)
	require.WithinDuration(t, time.Now(), list.Now, time.Minute)
	require.NotNil(t, list.Parks, "empty, and not null")
	require.NotNil(t, list.Parkers)

	list, err = parksAt(t, func() (status.ParkList, error) {
		return status.ParkList{Parks: []status.Park{{Service: "db", Message: "http://u:secret@h/ failed"}}, Parkers: []status.Parker{{Problem: "http://u:secret@h/"}}}, nil
	}).Parks(t.Context())
	require.NoError(t, err)
	require.Equal(t, "http://h/ failed", list.Parks[0].Message)
	require.Equal(t, "http://h/", list.Parkers[0].Problem)
	require.NotNil(t, list.Parks[0].Nodes)
}

func TestParksThatAreNotKnownAreNoEmptyList(t *testing.T) {
	_, err := parksAt(t, func() (status.ParkList, error) { return status.ParkList{}, errors.New("consul is not reachable") }).Parks(t.Context())
	failed, ok := errors.AsType[*status.APIError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, http.StatusServiceUnavailable, failed.Code)
	require.ErrorContains(t, err, "consul is not reachable")
}
