package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/consul"
	"github.com/draingate/draingate/controller/model"
)

// needsToName is how many services an answer names.
const needsToName = 5

// serviceRule is what a token needs for fences and parks.
const serviceRule = `service_prefix "" { policy = "write" }, or service "NAME" { policy = "write" } for each`

// aboutServices has the question whether the token may write to services; none
// where this instance neither fences nor parks, or fences only for jobs that say so
// against --fence never.
func (a *App) aboutServices() []question {
	if len(a.aboutFence()) == 0 && !parks(a.options) {
		return nil
	}
	return []question{{"Writing to services", a.askServices}}
}

// askServices asks Consul whether the token may do what it is not made to do here:
// put the services into maintenance that jobs may have fenced, and register
// placeholders of those that they have parked for.
func (a *App) askServices(ctx context.Context) (string, error) {
	jobs, err := a.nomad.ServiceJobs(ctx, "*")
	if err != nil {
		return "", notAsked(fmt.Errorf("which services it is needed for is not known: %w", err))
	}
	set := a.observer.Proxies(ctx)
	if !slices.ContainsFunc(set.Value, func(p model.Proxy) bool { return p.Settings.Known() }) {
		return "", notAsked(errors.New("which services it is needed for is not known, as no Traefik tells its settings"))
	}
	return a.askNeeds(ctx, needs(jobs, set.Value, policyOf(a.options), parks(a.options)))
}

// notAsked is for what could not be asked: that is neither a right nor a lack of one.
func notAsked(why error) error {
	return warning(fmt.Sprintf("it could not be asked: %v; for fences, parks and pauses the token needs %s of their services", why, serviceRule))
}

func (a *App) askNeeds(ctx context.Context, all []need) (string, error) {
	known, unnamed := named(all)
	rights := make([]consul.Right, len(known))
	for i, n := range known {
		rights[i] = consul.WriteService(n.service)
	}
	denied, err := a.consul.Denied(ctx, rights)
	if err != nil {
		return "", notAsked(err)
	}
	return answerNeeds(known, unnamed, denied)
}

// answerNeeds is an error where a job asks for what the token may not do, and a
// warning where one may come to need it: who grants only some services chooses
// those that can be fenced.
func answerNeeds(known []need, unnamed []string, denied []consul.Right) (string, error) {
	var asked, mayBe []string
	for _, n := range known {
		text := fmt.Sprintf("%q (%s)", n.service, n.why)
		switch {
		case !slices.Contains(denied, consul.WriteService(n.service)):
		case n.asked:
			asked = append(asked, text)
		default:
			mayBe = append(mayBe, text)
		}
	}
	switch {
	case len(asked) > 0:
		return "", fmt.Errorf("%w: the token may not write to %s: it lacks %s of them; where that is meant, have no park or fence asked for there", consul.ErrForbidden, some(asked), serviceRule)
	case len(mayBe) > 0:
		return "", warning(fmt.Sprintf("the token may not write to %s: these are not fenced, and a deployment whose old instances do not serve for long enough is held; it lacks %s of them; where that is meant, say draingate_fence = %q in those jobs, or --fence %[3]s",
			some(mayBe), serviceRule, model.FenceNever))
	case len(unnamed) > 0:
		return "", warning(fmt.Sprintf("the token may for %d services that jobs may have fenced or parked for; not asked for those that Nomad names only where they run: %s", len(known), some(unnamed)))
	case len(known) == 0:
		return "no job needs it now; one that does, and a person's pause, need " + serviceRule + " of its services", nil
	default:
		return fmt.Sprintf("the token may for all %d services that jobs may have fenced or parked for; a person's pause of another one needs it there too", len(known)), nil
	}
}

// some names a few, and counts the rest.
func some(all []string) string {
	text := strings.Join(all[:min(len(all), needsToName)], ", ")
	if more := len(all) - needsToName; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// askKey asks whether the token may write a key, or below it where it ends with a
// slash. The text says what is known then: that it can be read, which the caller
// knows, or written too.
func (a *App) askKey(ctx context.Context, key string) (string, error) {
	right := consul.WriteKey(key)
	denied, err := a.consul.Denied(ctx, []consul.Right{right})
	switch {
	case err != nil:
		return "can be read", warning(fmt.Sprintf("whether it can be written could not be asked: %v; the token needs %s", err, right.Rule()))
	case len(denied) > 0:
		return "", fmt.Errorf("%w: %s can be read and not written: the token lacks %s", consul.ErrForbidden, key, right.Rule())
	default:
		return "can be read and written", nil
	}
}
