package leader

import "time"

// The limits of a TTL. Consul takes no session of less than ten seconds unless
// told to, and no lock delay beyond a minute (SessionTTLMin in
// agent/consul/config.go and MaxLockDelay in agent/structs/structs.go, v1.22.3).
const (
	MinTTL = 10 * time.Second
	MaxTTL = time.Minute
)

// marginParts is which part of a TTL is kept in hand for clocks that do not run
// at the same rate: one tenth is a hundred times what a clock may drift.
const marginParts = 10

// Lease is the right to act for a while. The zero Lease is none.
type Lease struct {
	start time.Time
	ttl   time.Duration
}

// NewLease returns the lease that a renewal with this TTL gives which was begun
// at that time: the beginning and not the answer counts, since Consul starts
// its own TTL at some time in between. The time must carry a monotonic reading.
func NewLease(begun time.Time, ttl time.Duration) Lease { return Lease{start: begun, ttl: ttl} }

// Left is how much longer the holder may act at that time: the TTL less a tenth
// of it, from the beginning of the renewal on. It is zero where that is over.
func (l Lease) Left(now time.Time) time.Duration {
	since := now.Sub(l.start)
	if l.start.IsZero() || since < 0 {
		return 0
	}
	return max(l.ttl-l.ttl/marginParts-since, 0)
}
