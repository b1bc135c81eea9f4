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
	"slices"
	"time"
)

// Marker is the environment variable that every process of a stack inherits,
// tasks of Nomad's raw_exec driver included. Its value is the stack's directory.
const Marker = "DRAINGATE_STACK"

// Data is the folder below a stack's directory that holds everything but logs.
const Data = "data"

// Allocations returns the IDs of the allocations whose directories the stack's
// Nomad clients have, sorted.
func Allocations(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, Data, "*", "alloc", "*"))
	var ids []string
	for _, p := range paths {
		ids = append(ids, filepath.Base(p))
	}
	slices.Sort(ids)
	return ids, err
}

// All ends and removes everything of the stack in dir but its logs. Cgroups
// are removed for the allocations that still have a directory, and for those
// given: Nomad removes the directory of a purged one first.
func All(dir string, within time.Duration, allocs ...string) error {
	_, kill := Kill(dir, within)
	if err := Unmount(dir); err != nil {
		// Removing files below a live mount would reach into another file system.
		return errors.Join(kill, err)
	}
	ids, list := Allocations(dir)
	return errors.Join(kill, list, Cgroups(append(ids, allocs...)), os.RemoveAll(filepath.Join(dir, Data)))
}
