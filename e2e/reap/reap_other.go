//go:build !linux

package reap

import "time"

// Processes finds nothing where environments of other processes cannot be read.
func Processes(string) ([]int, error) { return nil, nil }

// Kill does nothing where marked processes cannot be found.
func Kill(string, time.Duration) (int, error) { return 0, nil }

// Unmount does nothing: Nomad mounts nothing below a stack's directory here.
func Unmount(string) error { return nil }

// Cgroups does nothing where there are no cgroups.
func Cgroups([]string) error { return nil }
