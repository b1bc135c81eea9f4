package observe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/draingate/draingate/controller/model"
)

// parallelProxies bounds the proxies that are read at one time.
const parallelProxies = 32

const sharedText = "several instances share this API address: " +
	"give each its own port, or name each with --traefik-url"

// instance is an instance of a Traefik service.
type instance struct {
	service string
	// id is the allocation's, else the node's and the service's.
	id string
	// allocID is empty for an instance that Nomad does not run.
	allocID string
	// registered is false for one that left Consul and may still be routing.
	registered bool
	passing    bool
}

// member is one API address with the instances that it is said to be of.
type member struct {
	url       string
	given     bool
	instances []instance
}

// members remembers the instances that Nomad runs, by URL, since one that left
// Consul goes on routing until its allocation has ended. The zero value is
// ready to use.
type members struct {
	mu    sync.Mutex
	byURL map[string][]instance
}

// readProxies reads the proxy set and every proxy in it.
func (o *Observer) readProxies(ctx context.Context) model.Fact[[]model.Proxy] {
	at := time.Now()
	set, err := o.candidates(ctx)
	if err != nil {
		return model.Unseen[[]model.Proxy](at, reason(err))
	}
	proxies := make([]*model.Proxy, len(set))
	var group errgroup.Group
	group.SetLimit(parallelProxies)
	for i := range set {
		group.Go(func() error {
			proxies[i] = o.readMember(ctx, &set[i])
			return nil
		})
	}
	_ = group.Wait() // every failure is in its fact
	o.members.remember(set)
	if why := o.incomplete(set); why != "" {
		return model.Unseen[[]model.Proxy](at, why)
	}
	var out []model.Proxy
	for _, p := range proxies {
		if p != nil {
			out = append(out, *p)
		}
	}
	return model.Seen(out, at)
}

// candidates returns every URL that was given, that an instance in Consul has,
// and that one which left Consul had. Sorted by URL.
func (o *Observer) candidates(ctx context.Context) ([]member, error) {
	byURL := make(map[string]*member)
	at := func(url string) *member {
		if byURL[url] == nil {
			byURL[url] = &member{url: url}
		}
		return byURL[url]
	}
	for _, url := range o.given {
		at(url).given = true
	}
	found, err := o.readServices(ctx)
	if err != nil {
		return nil, err
	}
	registered := make(map[[2]string]bool)
	for _, registrations := range found {
		for _, r := range registrations {
			m := at(o.options.API.instanceURL(r))
			i := registeredInstance(r)
			m.instances = append(m.instances, i)
			registered[i.key()] = true
		}
	}
	for url, remembered := range o.members.all() {
		for _, old := range remembered {
			if !registered[old.key()] {
				at(url).instances = append(at(url).instances, old)
			}
		}
	}
	return sortedMembers(byURL), nil
}

func sortedMembers(byURL map[string]*member) []member {
	out := make([]member, 0, len(byURL))
	for _, m := range byURL {
		out = append(out, *m)
	}
	slices.SortFunc(out, func(a, b member) int { return strings.Compare(a.url, b.url) })
	return out
}

func (o *Observer) readServices(ctx context.Context) ([][]model.Registration, error) {
	found := make([][]model.Registration, len(o.options.TraefikServices))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelReads)
	for i, name := range o.options.TraefikServices {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, o.options.CallTimeout)
			defer cancel()
			registrations, err := o.ports.Consul.Service(ctx, name)
			found[i] = registrations
			return err
		})
	}
	return found, group.Wait()
}

func registeredInstance(r model.Registration) instance {
	return instance{
		service:    r.ServiceName,
		id:         cmp.Or(r.AllocID, r.Node+"/"+r.ServiceID),
		allocID:    r.AllocID,
		registered: true,
		passing:    r.Status == model.StatusPassing,
	}
}

func (i instance) key() [2]string { return [2]string{i.service, i.id} }

// readMember reads the proxy at an address, or returns nil where nothing can be
// routing there any more: nobody gave the URL, and every instance of it ended.
func (o *Observer) readMember(ctx context.Context, m *member) *model.Proxy {
	// An instance that left Consul, or that shares its address, may be over
	// even where something answers.
	doubts := make(map[string]string)
	shared := m.shared()
	m.instances = slices.DeleteFunc(m.instances, func(i instance) bool {
		return (shared || !i.registered) && o.ended(ctx, i, doubts)
	})
	if len(m.instances) == 0 && !m.given {
		return nil
	}
	p := o.readProxy(ctx, m.url, m.allocation())
	if !p.Started.Known() {
		m.instances = slices.DeleteFunc(m.instances, func(i instance) bool { return o.ended(ctx, i, doubts) })
		if len(m.instances) == 0 && !m.given {
			return nil
		}
		p = unreadable(p, p.Started.At, withDoubts(p.Started.Err, m.instances, doubts))
	}
	if m.shared() {
		p.Ambiguous = sharedText
	}
	p.AllocID = m.allocation()
	return &p
}

// allocation is the one that runs the proxy, empty where none is known.
func (m *member) allocation() string {
	for _, i := range m.instances {
		if i.allocID != "" {
			return i.allocID
		}
	}
	return ""
}

// ended reports whether Nomad says that the instance's processes have ended. A
// passing check contradicts that, and then it is not believed. Why an instance
// is not over goes into doubts.
func (o *Observer) ended(ctx context.Context, i instance, doubts map[string]string) bool {
	if i.allocID == "" {
		return false
	}
	if _, asked := doubts[i.allocID]; asked {
		return false
	}
	fact := read(ctx, o.options.CallTimeout, func(ctx context.Context) (bool, error) {
		return o.ports.Nomad.AllocationTerminal(ctx, i.allocID)
	})
	switch id := model.Short(i.allocID); {
	case !fact.Known():
		doubts[i.allocID] = "whether its allocation " + id + " has ended is not known (" + fact.Err +
			"): if it has, deregister the instance from Consul"
	case !fact.Value:
		doubts[i.allocID] = "its allocation " + id + " has not ended"
	case i.passing:
		doubts[i.allocID] = "its allocation " + id + " has ended, but it is passing in Consul: deregister it"
	default:
		return true
	}
	return false
}

func withDoubts(why string, instances []instance, doubts map[string]string) string {
	for _, i := range instances {
		if doubt := doubts[i.allocID]; doubt != "" && !strings.Contains(why, doubt) {
			why += "; " + doubt
		}
	}
	return why
}

// shared reports whether the address is that of several instances: of two
// allocations, or of two instances of one service. One instance may have
// several services.
func (m *member) shared() bool {
	allocation, byService := "", make(map[string]string)
	for _, i := range m.instances {
		if other, ok := byService[i.service]; ok && other != i.id {
			return true
		}
		byService[i.service] = i.id
		if i.allocID != "" && allocation != "" && i.allocID != allocation {
			return true
		}
		allocation = cmp.Or(allocation, i.allocID)
	}
	return false
}

func (m *members) all() map[string][]instance {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.byURL
}

// remember keeps the instances that Nomad runs, as ones that may leave Consul.
func (m *members) remember(set []member) {
	byURL := make(map[string][]instance)
	for _, member := range set {
		for _, i := range member.instances {
			if i.allocID != "" {
				i.registered, i.passing = false, false
				byURL[member.url] = append(byURL[member.url], i)
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byURL = byURL
}

// incomplete says why the set cannot be all the proxies that there are, empty if
// it can.
func (o *Observer) incomplete(set []member) string {
	for _, name := range o.options.TraefikServices {
		if !slices.ContainsFunc(set, func(m member) bool { return m.has(name) }) {
			return fmt.Sprintf("the Traefik service %q has no instance in Consul: "+
				"correct --traefik-service, or leave it out", name)
		}
	}
	if len(set) == 0 {
		return "no Traefik is known: set --traefik-service or --traefik-url"
	}
	return ""
}

func (m member) has(service string) bool {
	return slices.ContainsFunc(m.instances, func(i instance) bool { return i.service == service })
}
