package status

import (
	"context"
	"errors"
	"net/http"
)

// Finding is what a rule finds in a live job, as /v1/lint shows it. Field names
// are stable; docs/status.md explains them.
type Finding struct {
	Namespace  string `json:"namespace"`
	Job        string `json:"job"`
	JobVersion uint64 `json:"jobVersion"`
	// Rule is the ID that docs/rules.md explains.
	Rule string `json:"rule"`
	// Severity is error, warning, notice or unknown.
	Severity string `json:"severity"`
	// Path is where in the job it is; empty for a finding about settings.
	Path    string `json:"path"`
	Message string `json:"message"`
	// Remedy is what to write instead; empty where there is no single thing.
	Remedy string `json:"remedy"`
	// Proxies are the Traefik instances behind which it is so.
	Proxies []string `json:"proxies"`
}

// scrubbed is the finding without credentials of URLs, which a tag or the
// reason of a failure may quote.
func (f Finding) scrubbed() Finding {
	f.Message, f.Remedy, f.Proxies = scrub(f.Message), scrub(f.Remedy), each(f.Proxies, scrub)
	return f
}

// ErrNotLinted means that the controller does not look at live jobs.
var ErrNotLinted = errors.New("live jobs are not looked at")

// Lint returns what the rules find in live jobs, sorted by namespace, job, path
// and rule. The error is ErrNotLinted where the controller does not look.
func (c *Client) Lint(ctx context.Context) ([]Finding, error) {
	var out []Finding
	err := c.get(ctx, &out, "v1", "lint")
	if answer, ok := errors.AsType[*APIError](err); ok && answer.Code == http.StatusNotFound {
		return nil, ErrNotLinted
	}
	return out, err
}
