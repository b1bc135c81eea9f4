package reap

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Processes returns the ids of the live processes marked with dir, in order.
// Processes that this user may not inspect are not seen.
func Processes(dir string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err == nil && pid != os.Getpid() && marked(pid, dir) {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}

// marked reads an environment. A zombie has none, so the dead do not count. Neither
// has a process whose first thread has ended, although others may still be about to
// mount something: theirs have it.
func marked(pid int, dir string) bool {
	of := filepath.Join("/proc", strconv.Itoa(pid))
	env, err := os.ReadFile(filepath.Join(of, "environ"))
	if err == nil && len(env) > 0 {
		return holds(env, dir)
	}
	threads, _ := filepath.Glob(filepath.Join(of, "task", "*", "environ"))
	return slices.ContainsFunc(threads, func(path string) bool {
		env, _ := os.ReadFile(path)
		return holds(env, dir)
	})
}

// holds reports whether an environment has the mark.
func holds(env []byte, dir string) bool {
	want := []byte(Marker + "=" + dir)
	return slices.ContainsFunc(bytes.Split(env, []byte{0}), func(v []byte) bool { return bytes.Equal(v, want) })
}

// Kill ends every process marked with dir and returns how many it found. It
// looks again until none is left, since a process may start another while it
// is being ended; what still lives after the deadline is an error.
func Kill(dir string, within time.Duration) (int, error) {
	deadline := time.Now().Add(within)
	seen := map[int]bool{}
	for {
		pids, err := Processes(dir)
		if err != nil || len(pids) == 0 {
			return len(seen), err
		}
		if time.Now().After(deadline) {
			return len(seen), fmt.Errorf("end processes of %s: %v still live after %s", dir, pids, within)
		}
		for _, pid := range pids {
			seen[pid] = true
			// A process that ended meanwhile is what was wanted.
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Unmount detaches every file system mounted below dir: a Nomad client mounts
// one for each task's secrets and leaves it there when it is killed.
func Unmount(dir string) error {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	var points []string
	for line := range strings.Lines(string(info)) {
		// The mount point is the fifth field (proc(5)).
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
			points = append(points, f[4])
		}
	}
	slices.Sort(points)
	var errs []error
	for _, p := range slices.Backward(points) {
		if err := syscall.Unmount(p, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			errs = append(errs, fmt.Errorf("unmount %s: %w", p, err))
		}
	}
	return errors.Join(errs...)
}

// Cgroups removes the cgroups of allocations. A Nomad client that is killed
// leaves them. Their parent, nomad or nomad.slice, is shared by every Nomad
// client of the machine and stays (Nomad v1.11.3 ignores its option cgroup_parent).
func Cgroups(allocs []string) error {
	var errs []error
	for _, id := range allocs {
		// v2: parent/partition/scope; v1: controller/parent/scope, and one
		// level more for cpuset.
		for _, depth := range []string{"*/*", "*/*/*"} {
			scopes, _ := filepath.Glob(filepath.Join("/sys/fs/cgroup", depth, id+".*"))
			for _, scope := range scopes {
				errs = append(errs, removeCgroup(scope))
			}
		}
	}
	return errors.Join(errs...)
}

// removeCgroup goes from the leaves up, because a cgroup that has children
// cannot be removed. The files in it cannot, and need not.
func removeCgroup(top string) error {
	var dirs []string
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	errs := []error{err}
	for _, d := range slices.Backward(dirs) {
		errs = append(errs, removeWhenEmpty(d))
	}
	return errors.Join(errs...)
}

// removeWhenEmpty waits for the kernel: a process that was killed leaves its
// cgroup only when it has been torn down, some time after it is no more seen.
func removeWhenEmpty(dir string) error {
	deadline := time.Now().Add(5 * time.Second)
	for {
		err := syscall.Rmdir(dir)
		switch {
		case err == nil, errors.Is(err, fs.ErrNotExist):
			return nil
		case !errors.Is(err, syscall.EBUSY), time.Now().After(deadline):
			return fmt.Errorf("remove cgroup %s: %w", dir, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
