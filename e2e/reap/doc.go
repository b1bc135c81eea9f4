// Package reap removes what a test stack leaves on a machine when it ends:
// processes, mounts, cgroups and data. A process belongs to a stack if, and
// only if, its environment carries the stack's own directory under the key
// Marker.
//
// It must not touch anything that does not belong to the one stack it was
// asked about, and it keeps the stack's logs.
package reap

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// Marker is the environment variable that every process of a stack inherits,
// tasks of Nomad's raw_exec driver included. Its value is the stack's directory.
const Marker = "DRAINGATE_STACK"

// Data is the folder below a stack's directory that holds everything but logs.
const Data = "data"

// Allocs is where the stack's Nomad client keeps its allocations' directories.
func Allocs(dir string) string { return filepath.Join(dir, Data, "nomad", "alloc") }

// All ends and removes everything of the stack in dir but its logs.
func All(dir string, within time.Duration) error {
	_, kill := Kill(dir, within)
	if err := Unmount(dir); err != nil {
		// Removing files below a live mount would reach into another file system.
		return errors.Join(kill, err)
	}
	return errors.Join(kill, Cgroups(Allocs(dir)), os.RemoveAll(filepath.Join(dir, Data)))
}
