package traefik

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// defaultReadTimeout is Traefik's for every entry point; the others that bound a
// request are 0, which is none (pkg/config/static/entrypoints.go and
// static_config.go, v3.6.12).
const defaultReadTimeout = time.Minute

// internalEntryPoint is the one of the API, which is no default one.
const internalEntryPoint = "traefik"

// timeouts are what a source says of them, as text; what is empty was not said.
type timeouts struct {
	response    string
	entryPoints map[string]entryPoint
}

type entryPoint struct {
	read, write string
	asDefault   bool
}

// finish parses what was said. What was not said of an entry point's read timeout
// is absent. The result is nil where something cannot be read: whatever is made
// of the timeouts, a Traefik does not start for it, and nothing else here rests on them.
func (t timeouts) finish(absent time.Duration) *model.Timeouts {
	out := &model.Timeouts{}
	var err error
	if out.ResponseHeader, err = orElse(t.response, 0); err != nil {
		return nil
	}
	chosen := false
	for _, name := range sortedKeys(t.entryPoints) {
		e := t.entryPoints[name]
		one := model.EntryPoint{Name: name, Default: e.asDefault}
		read, errRead := orElse(e.read, absent)
		write, errWrite := orElse(e.write, 0)
		if errRead != nil || errWrite != nil {
			return nil
		}
		one.Read, one.Write = read, write
		chosen = chosen || e.asDefault
		out.EntryPoints = append(out.EntryPoints, one)
	}
	for i, e := range out.EntryPoints {
		if !chosen {
			out.EntryPoints[i].Default = e.Name != internalEntryPoint
		}
	}
	return out
}

func orElse(text string, absent time.Duration) (time.Duration, error) {
	if text == "" {
		return absent, nil
	}
	var d duration
	err := d.Set(text)
	return time.Duration(d), err
}

// withHTTP adds the entry point that Traefik has where it is given none
// (pkg/config/static/static_config.go, SetEffectiveConfiguration).
func (t timeouts) withHTTP() timeouts {
	if len(t.entryPoints) == 0 {
		t.entryPoints = map[string]entryPoint{"http": {}}
	}
	return t
}

// timeoutsFromDump reads what a process reports, in which an absent option is 0.
func timeoutsFromDump(content []byte) *model.Timeouts {
	var raw map[string]any
	if json.Unmarshal(content, &raw) != nil {
		return nil
	}
	return timeoutsIn(raw).finish(0)
}

func timeoutsFromFile(ext, text string) *model.Timeouts {
	raw, err := rawFile(ext, text)
	if err != nil {
		return nil
	}
	return timeoutsIn(raw).withHTTP().finish(defaultReadTimeout)
}

func timeoutsFromFlags(r *flagRoot) *model.Timeouts {
	t := timeouts{entryPoints: map[string]entryPoint{}}
	if s := r.ServersTransport; s != nil && s.ForwardingTimeouts != nil {
		t.response = s.ForwardingTimeouts.ResponseHeaderTimeout
	}
	for name, e := range r.EntryPoints {
		if e == nil {
			continue
		}
		one := entryPoint{asDefault: e.AsDefault}
		if e.Transport != nil && e.Transport.RespondingTimeouts != nil {
			one.read, one.write = e.Transport.RespondingTimeouts.ReadTimeout, e.Transport.RespondingTimeouts.WriteTimeout
		}
		t.entryPoints[name] = one
	}
	return t.withHTTP().finish(defaultReadTimeout)
}

// timeoutsIn finds them in a tree whose keys are in any case, as files may have
// them.
func timeoutsIn(raw map[string]any) timeouts {
	t := timeouts{entryPoints: map[string]entryPoint{}}
	t.response = textIn(raw, "serversTransport", "forwardingTimeouts", "responseHeaderTimeout")
	points, _ := child(raw, "entryPoints").(map[string]any)
	for _, name := range sortedKeys(points) {
		e, _ := points[name].(map[string]any)
		t.entryPoints[name] = entryPoint{
			read:      textIn(e, "transport", "respondingTimeouts", "readTimeout"),
			write:     textIn(e, "transport", "respondingTimeouts", "writeTimeout"),
			asDefault: strings.EqualFold(textIn(e, "asDefault"), "true"),
		}
	}
	return t
}

// textIn is the value at the end of the keys as text, empty where there is none.
func textIn(node map[string]any, keys ...string) string {
	for _, key := range keys[:len(keys)-1] {
		node, _ = child(node, key).(map[string]any)
	}
	value := child(node, keys[len(keys)-1])
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func child(node map[string]any, key string) any {
	names := sortedKeys(node)
	if i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, key) }); i >= 0 {
		return node[names[i]]
	}
	return nil
}
