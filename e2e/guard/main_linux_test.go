package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/e2e/reap"
)

// TestMain is the guard itself in the process that a test starts.
func TestMain(m *testing.M) {
	if os.Getenv("BE_A_GUARD") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// Who ends a run may send a signal to each of its processes, and kill the owner soon
// after: the guard must still be there then.
func TestASignalDoesNotEndTheGuard(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, reap.Data), 0o755))
	cmd := exec.CommandContext(t.Context(), os.Args[0], dir)
	cmd.Env = append(os.Environ(), "BE_A_GUARD=yes")
	owner, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		require.Eventually(t, func() bool { return ignores(t, cmd.Process.Pid, sig) }, 10*time.Second, 10*time.Millisecond, "the guard ignores %s", sig)
		require.NoError(t, cmd.Process.Signal(sig))
	}
	require.DirExists(t, filepath.Join(dir, reap.Data), "the owner lives")

	require.NoError(t, owner.Close())
	require.NoError(t, cmd.Wait())
	require.NoDirExists(t, filepath.Join(dir, reap.Data))
}

// ignores reads the set of signals that a process ignores (proc(5), status).
func ignores(t *testing.T, pid int, sig syscall.Signal) bool {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(status), "\nSigIgn:")
	require.True(t, found)
	line, _, _ := strings.Cut(rest, "\n")
	set, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
	require.NoError(t, err)
	return set&(1<<(sig-1)) != 0
}
