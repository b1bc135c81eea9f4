package observe

import (
	"errors"
	"sync"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// rememberFor is how long a start date, and that an address answered for several
// processes, are remembered after they were last seen.
const rememberFor = 10 * time.Minute

const ambiguousText = "a Traefik process answered that started earlier than one that had answered before, " +
	"so this address seems to answer for several by turns: name each instance with --traefik-url, or register each in Consul; " +
	"if the clock of its machine was set back before a restart, this ends by itself within 20 minutes"

var errAnotherProcess = errors.New(
	"another process answered than the one before: it restarted, or the address answers for several")

// processMemory keeps what was learned about the process behind each URL. The
// zero value is ready to use.
type processMemory struct {
	mu    sync.Mutex
	byURL map[string]*process
}

type process struct {
	// starts holds when each start date (in Unix nanoseconds) was last seen.
	starts map[int64]time.Time
	// turned is when the address last went back to an earlier process.
	turned time.Time
	// settings are those of the process that started at settingsOf.
	settings   *model.ProxySettings
	settingsOf int64
}

// met takes note of a start date and returns why the address cannot be relied
// on, empty if it can. A restart moves the date forward. One that goes back is
// that of several processes behind the address, or of one whose machine's clock
// was set back: the two cannot be told apart at once, and the first is assumed.
func (m *processMemory) met(url string, started, now time.Time) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(now)
	if m.byURL == nil {
		m.byURL = make(map[string]*process)
	}
	p := m.byURL[url]
	if p == nil {
		p = &process{starts: make(map[int64]time.Time)}
		m.byURL[url] = p
	}
	for other := range p.starts {
		if other > started.UnixNano() {
			p.turned = now
		}
	}
	p.starts[started.UnixNano()] = now
	if !p.turned.IsZero() {
		return ambiguousText
	}
	return ""
}

func (m *processMemory) forget(now time.Time) {
	for url, p := range m.byURL {
		for started, seen := range p.starts {
			if now.Sub(seen) > rememberFor {
				delete(p.starts, started)
			}
		}
		if now.Sub(p.turned) > rememberFor {
			p.turned = time.Time{}
		}
		if len(p.starts) == 0 && p.turned.IsZero() {
			delete(m.byURL, url)
		}
	}
}

func (m *processMemory) settings(url string, started time.Time) *model.ProxySettings {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.byURL[url]; p != nil && p.settings != nil && p.settingsOf == started.UnixNano() {
		return p.settings
	}
	return nil
}

func (m *processMemory) keep(url string, started time.Time, settings model.ProxySettings) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.byURL[url]; p != nil {
		p.settings, p.settingsOf = &settings, started.UnixNano()
	}
}
