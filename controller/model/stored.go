package model

import (
	"slices"
	"strings"
)

// Stored is one key of Consul's KV store.
type Stored struct {
	Key   string
	Value []byte
	// Session is the ID of the session that holds its lock; empty where none does.
	Session string
	// Index moves with every change of the key.
	Index uint64
}

// Unchanged reports whether the key is as it was before, its lock included.
func (s Stored) Unchanged(before Stored) bool {
	return s.Key == before.Key && s.Index == before.Index && s.Session == before.Session
}

// SameStored reports whether no key came, went or was changed.
func SameStored(before, now []Stored) bool { return slices.EqualFunc(now, before, Stored.Unchanged) }

// PresentOn returns the node of which an instance says, with a key of its own at
// PREFIX NODE/INSTANCE, that it is present there, and false for any other key. One
// without a live session says nothing.
func (s Stored) PresentOn(prefix string) (node string, present bool) {
	name, ours := strings.CutPrefix(s.Key, prefix)
	cut := strings.LastIndexByte(name, '/')
	if !ours || cut < 1 || s.Session == "" {
		return "", false
	}
	return name[:cut], true
}

// Guard is a lock without which nothing is to be written.
type Guard struct {
	Key     string
	Session string
}

// LocalService is a service instance on the Consul agent that is asked.
type LocalService struct {
	ID   string
	Name string
	// Maintenance is true where the service is in maintenance, for Reason.
	Maintenance bool
	Reason      string
	// Address is where it says to listen, as host:port; the host is empty where the
	// instance has its node's.
	Address string
	// Critical is true where a check of it, its maintenance included, is critical.
	Critical bool
}

// Placeholder is a service instance that stands in for others.
type Placeholder struct {
	ID      string
	Service string
	Address string
	Port    int
	// HostPort is where its check asks.
	HostPort string
	Tags     []string
	Meta     map[string]string
	// Secret tells the questions of its check from requests.
	Secret string
}
