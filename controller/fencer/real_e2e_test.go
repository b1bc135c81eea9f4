//go:build e2e

package fencer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	consulapi "github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/fence"
	"github.com/draingate/draingate/controller/model"
)

// startConsul runs a real Consul until the test ends, and returns its address
// and process.
func startConsul(t *testing.T) (string, *os.Process) {
	t.Helper()
	path := os.Getenv("DRAINGATE_CONSUL")
	require.NotEmpty(t, path, "set DRAINGATE_CONSUL, as make e2e does")
	var ports []int
	for range 3 {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	command := exec.Command(path, "agent", "-dev", "-bind=127.0.0.1", "-node=n1",
		fmt.Sprintf("-http-port=%d", ports[0]), fmt.Sprintf("-server-port=%d", ports[1]), fmt.Sprintf("-serf-lan-port=%d", ports[2]),
		"-serf-wan-port=-1", "-dns-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGCONT)
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
		if t.Failed() {
			t.Log(log.String()[max(0, log.Len()-1500):])
		}
	})
	return fmt.Sprintf("127.0.0.1:%d", ports[0]), command.Process
}

// world is a leader's and a proxy's view of that Consul.
type world struct {
	*testing.T
	api    *consulapi.Client
	client *consul.Client
	guard  model.Guard
}

func (w world) eventually(what string, try func() error) {
	w.Helper()
	began := time.Now()
	for {
		err := try()
		if err == nil {
			w.Logf("%s: %s", what, time.Since(began).Round(time.Millisecond))
			return
		}
		require.Less(w, time.Since(began), 30*time.Second, "%s: %v", what, err)
		time.Sleep(10 * time.Millisecond)
	}
}

// leads makes a session with the leader's lock.
func (w *world) leads() {
	w.Helper()
	id, err := w.client.OpenSession(w.Context(), "leader", ttl, time.Millisecond)
	require.NoError(w, err)
	w.guard = model.Guard{Key: "draingate/leader", Session: id}
	w.eventually("the leader's lock", func() error {
		taken, err := w.client.TakeLock(w.Context(), w.guard.Key, nil, id)
		if err == nil && !taken {
			err = errors.New("not taken")
		}
		return err
	})
}

// writes stores a record, whatever stands there.
func (w world) writes(r fence.Record) {
	w.Helper()
	value, err := r.Encode()
	require.NoError(w, err)
	key := keys.Record(r.Key())
	w.eventually("the record "+r.Mark, func() error {
		var index uint64
		if pair, _, err := w.api.KV().Get(key, nil); err != nil {
			return err
		} else if pair != nil {
			index = pair.ModifyIndex
		}
		stored, err := w.client.Store(w.Context(), w.guard, key, value, index)
		if err == nil && !stored {
			err = errors.New("not stored")
		}
		return err
	})
}

func (w world) register(id string) {
	w.Helper()
	service := &consulapi.AgentServiceRegistration{ID: id, Name: "web", Check: &consulapi.AgentServiceCheck{TTL: "10m", Status: "passing"}}
	require.NoError(w, w.api.Agent().ServiceRegisterOpts(service, consulapi.ServiceRegisterOpts{ReplaceExistingChecks: true}))
}

// passing waits until a proxy finds these services passing, and no others.
func (w world) passing(want ...string) {
	w.Helper()
	w.eventually(fmt.Sprintf("passing in the catalog: %v", want), func() error {
		all, _, err := w.api.Health().Service("web", "", true, nil)
		var got []string
		for _, s := range all {
			got = append(got, s.Service.ID)
		}
		if slices.Sort(got); err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("%v", got)
		}
		return err
	})
}

func (w world) acknowledged(want ...string) {
	w.Helper()
	w.eventually(fmt.Sprintf("acknowledged: %v", want), func() error {
		stored, _, err := w.client.List(w.Context(), keys.Prefix, 0, 0)
		if got, present := keys.Fencers(stored, "dep")["n1"]; err == nil && (!present || !slices.Equal(got, want)) {
			err = fmt.Errorf("%v, present %t", got, present)
		}
		return err
	})
}

// run starts an instance, and returns what ends it and waits for that.
func (w world) run(n Nomad) (*Fencer, func()) {
	f := New(w.client, n, Options{Keys: keys, TTL: ttl, Instance: "real"})
	ctx, cancel := context.WithCancel(logr.NewContext(w.Context(), funcr.New(func(_, args string) { w.Log(args) }, funcr.Options{})))
	end := make(chan error, 1)
	go func() { end <- f.Run(ctx) }()
	return f, func() {
		cancel()
		require.NoError(w, <-end)
	}
}

func TestRealConsul(t *testing.T) {
	address, process := startConsul(t)
	client, err := consul.New(consul.Options{Address: address})
	require.NoError(t, err)
	api, err := consulapi.NewClient(&consulapi.Config{Address: address})
	require.NoError(t, err)
	w := &world{T: t, api: api, client: client}
	w.eventually("a leader of Consul", func() error { return client.Check(t.Context()) })
	for _, id := range []string{"s1", "s2", "s3"} {
		w.register(id)
	}
	w.passing("s1", "s2", "s3")

	n := newNomad()
	f, stop := w.run(n)
	w.acknowledged()
	w.leads()
	w.writes(record("m1", fence.StepFencing))
	w.passing("s3")
	w.acknowledged("m1")

	w.register("s1")
	w.passing("s3")
	w.acknowledged("m1")

	require.NoError(t, api.Agent().EnableServiceMaintenance("s3", "by hand"))
	_, err = api.Session().Destroy(w.guard.Session, nil)
	require.NoError(t, err)
	w.passing("s1", "s2")
	require.NoError(t, api.Agent().DisableServiceMaintenance("s3"))

	w.leads()
	w.writes(record("m2", fence.StepFencing))
	w.acknowledged("m2")
	require.NoError(t, process.Signal(syscall.SIGSTOP))
	w.eventually("it tells that the agent does not answer", func() error {
		if f.State().Problem == "" {
			return errors.New("no problem")
		}
		return nil
	})
	require.NoError(t, process.Signal(syscall.SIGCONT))
	w.acknowledged("m2")
	require.Equal(t, []string{"s1", "s2"}, f.State().Set)
	stop()
	w.passing("s1", "s2", "s3")
	stored, _, err := client.List(t.Context(), keys.Presences(), 0, 0)
	require.NoError(t, err)
	require.Empty(t, stored)
	w.endsArmed(n)
}

// endsArmed ends an instance while a record is armed, and the leader after it.
func (w *world) endsArmed(n Nomad) {
	w.Helper()
	_, stop := w.run(n)
	w.writes(record("m3", fence.StepArmed))
	w.acknowledged("m3")
	stop()
	w.passing("s3")
	_, err := w.api.Session().Destroy(w.guard.Session, nil)
	require.NoError(w, err)
	began := time.Now()
	_, stop = w.run(n)
	defer stop()
	w.passing("s1", "s2", "s3")
	require.Greater(w, time.Since(began), fence.Window, "the promotion could have been on its way")
}
