package app

import (
	"github.com/draingate/draingate/controller/status"
	"github.com/draingate/draingate/controller/survey"
)

// lint is what the status endpoint asks for the findings in live jobs, nil where
// nobody looks for any.
func (a *App) lint() func() ([]status.Finding, error) {
	if a.survey == nil {
		return nil
	}
	return func() ([]status.Finding, error) {
		found, err := a.survey.Findings()
		if err != nil {
			return nil, err
		}
		out := make([]status.Finding, 0, len(found))
		for _, f := range found {
			out = append(out, shown(f))
		}
		return out, nil
	}
}

func shown(f survey.Finding) status.Finding {
	return status.Finding{
		Namespace: f.Namespace, Job: f.Job, JobVersion: f.JobVersion, Rule: f.Rule, Severity: string(f.Severity),
		Path: string(f.Path), Message: f.Message, Remedy: f.Remedy, Proxies: f.Proxies,
	}
}
