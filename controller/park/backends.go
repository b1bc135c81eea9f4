package park

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Margin is how long before an instance is sent its stop signal nothing more is
// sent to it, beside the longest request.
const Margin = time.Second

// Backend is an instance that requests may be passed to.
type Backend struct {
	ID string
	// Address is host:port.
	Address string
	// Until is when nothing more is to be sent to it; zero for no end that is known.
	Until time.Time
}

// Backends returns the instances that requests for the record's service may be
// passed to, sorted by address: those that pass, and those that were told to stop for as long as
// they surely serve, in the catalog or not.
func Backends(s Sighting, catalog []model.Registration) []Backend {
	byAddress, allocs := map[string]Backend{}, map[string]string{}
	for _, r := range catalog {
		if r.Status == model.StatusPassing && !IsPlaceholder(r.ServiceID) {
			address := AddressOf(r)
			byAddress[address], allocs[address] = Backend{ID: r.ServiceID, Address: address}, r.AllocID
		}
	}
	for _, g := range s.Record.Going {
		if g.Until.IsZero() || g.Address == "" {
			continue
		}
		b, there := byAddress[g.Address]
		if there && allocs[g.Address] != g.Alloc {
			continue // Another one has its port.
		}
		byAddress[g.Address] = Backend{ID: cmp.Or(b.ID, g.Alloc), Address: g.Address, Until: s.Ends(g.Until)}
	}
	out := make([]Backend, 0, len(byAddress))
	for _, b := range byAddress {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b Backend) int { return cmp.Compare(a.Address, b.Address) })
	return out
}

// AddressOf is the host:port of an instance.
func AddressOf(r model.Registration) string { return net.JoinHostPort(r.Address, strconv.Itoa(r.Port)) }
