package app

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/draingate/draingate/controller/cli/options"
	"github.com/draingate/draingate/controller/status"
	"github.com/draingate/draingate/controller/webhook"
)

// newWebhook returns nil where none is wanted.
func newWebhook(o options.Run, done func(result string)) (*webhook.Sender, error) {
	if o.Webhook.URL == "" {
		return nil, nil // none is what was asked for
	}
	secret := ""
	if o.Webhook.SecretFile != "" {
		content, err := os.ReadFile(o.Webhook.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("--webhook-secret-file: %w", err)
		}
		secret = strings.TrimSpace(string(content))
	}
	s, err := webhook.New(webhook.Options{URL: o.Webhook.URL, Secret: secret, UserAgent: "draingate/" + o.Version, Done: done})
	if err != nil {
		return nil, fmt.Errorf("--webhook-url and --webhook-secret-file: %w", err)
	}
	return s, nil
}

// notify queues the changes of decisions for the webhook. It never waits.
func (a *App) notify(changed []status.Event) {
	if a.webhook == nil || !a.notifies() {
		return
	}
	for _, e := range changed {
		if e.Type != status.EventDecision {
			continue
		}
		body, err := json.Marshal(e)
		if err != nil {
			a.log.Error(err, "encode an event for the webhook", "event", e.ID)
			continue
		}
		a.webhook.Send(webhook.Event{ID: e.ID, Body: body})
	}
}

func (a *App) webhookDepth() int {
	if a.webhook == nil {
		return 0
	}
	return a.webhook.Depth()
}

// notifies reports whether this instance is the one that posts. A dry run never
// leads, and whoever gives it a webhook wants to hear of it all the same.
func (a *App) notifies() bool { return a.options.DryRun || a.leads() }
