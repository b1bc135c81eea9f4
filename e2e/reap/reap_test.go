//go:build linux

package reap

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sleeper starts a process with the mark of a stack.
func sleeper(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sleep", "60")
	cmd.Env = append(os.Environ(), Marker+"="+dir)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func TestOnlyTheMarkedAreEnded(t *testing.T) {
	dir := t.TempDir()
	mine, other, longer := sleeper(t, dir), sleeper(t, t.TempDir()), sleeper(t, dir+"0")
	pids, err := Processes(dir)
	require.NoError(t, err)
	require.Equal(t, []int{mine.Process.Pid}, pids)

	n, err := Kill(dir, 10*time.Second)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.ErrorContains(t, mine.Wait(), "killed")
	for _, cmd := range []*exec.Cmd{other, longer} {
		require.NoError(t, cmd.Process.Signal(os.Interrupt), "a process of another stack must live")
	}
}

// TestMain is, in the process that a test starts, one whose first thread has ended.
func TestMain(m *testing.M) {
	if os.Getenv("END_THE_FIRST_THREAD") == "" {
		os.Exit(m.Run())
	}
	for {
		end := func() {
			runtime.LockOSThread()
			if syscall.Gettid() == os.Getpid() {
				_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
			}
			runtime.UnlockOSThread()
		}
		end()
		go end()
		time.Sleep(time.Millisecond)
	}
}

// As the kernel ends the threads of a process that is killed one after another.
func TestAProcessLivesAsLongAsItsLastThread(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), Marker+"="+dir, "END_THE_FIRST_THREAD=yes")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	require.Eventually(t, func() bool {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		require.NoError(t, err)
		return strings.Contains(string(status), "\nState:\tZ")
	}, 10*time.Second, 10*time.Millisecond, "its first thread ends")
	n, err := Kill(dir, 10*time.Second)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.ErrorContains(t, cmd.Wait(), "killed")
}

func TestAllKeepsTheLogs(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{Data, "logs"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	require.NoError(t, All(dir, time.Second))
	require.NoDirExists(t, filepath.Join(dir, Data))
	require.DirExists(t, filepath.Join(dir, "logs"))
}

func TestTheAllocationsOfEveryClientAreFound(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"n-2/alloc/a", "n-1/alloc/b", "nomad-server-1/server"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, Data, d), 0o755))
	}
	ids, err := Allocations(dir)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, ids)
}
