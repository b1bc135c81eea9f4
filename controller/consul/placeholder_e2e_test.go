//go:build e2e

package consul

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
)

// A placeholder passes from the moment in which it is registered, and turns critical
// once nobody listens for it.
func TestRealConsulKnowsWhetherAPlaceholderAnswers(t *testing.T) {
	address, _ := startConsul(t, "-dev")
	client := clientAt(t, address, rootToken)
	ctx := t.Context()
	eventually(t, "a leader", func() error { return client.Check(ctx) })
	asked := make(chan struct{}, 100)
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(CheckHeader) != "s3cret" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		asked <- struct{}{}
	}))
	defer listener.Close()
	at, err := url.Parse(listener.URL)
	require.NoError(t, err)
	port, err := strconv.Atoi(at.Port())
	require.NoError(t, err)
	const id = "_draingate-park-web~node"
	p := placeholder(id, at.Host)
	p.Address, p.Port = at.Hostname(), port
	is := func(want string) func() error {
		return func() error {
			all, err := client.Service(ctx, "web")
			if err != nil {
				return err
			}
			if len(all) != 1 || all[0].Status != want {
				return fmt.Errorf("not one that is %s: %+v", want, all)
			}
			return nil
		}
	}
	eventually(t, "a placeholder", func() error { return client.RegisterPlaceholder(ctx, p) })
	eventually(t, "one that passes", is(model.StatusPassing))
	<-asked
	<-asked
	require.NoError(t, is(model.StatusPassing)())
	local, err := client.LocalServices(ctx)
	require.NoError(t, err)
	require.Equal(t, []model.LocalService{{ID: id, Name: "web", Address: at.Host}}, local)

	listener.Close()
	eventually(t, "one that is critical", is(model.StatusCritical))
	local, err = client.LocalServices(ctx)
	require.NoError(t, err)
	require.True(t, local[0].Critical)
	require.NoError(t, client.RegisterPlaceholder(ctx, p), "it is replaced")
	require.NoError(t, client.Deregister(ctx, id))
	require.NoError(t, client.Deregister(ctx, id), "a second time")
	eventually(t, "none", func() error {
		if all, err := client.Service(ctx, "web"); err != nil || len(all) > 0 {
			return errors.Join(err, fmt.Errorf("still %+v", all))
		}
		return nil
	})
	host, err := client.AgentAddress(ctx)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)
}
