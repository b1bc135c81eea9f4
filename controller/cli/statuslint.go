package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/rule"
	"github.com/draingate/draingate/controller/status"
)

// liveFindings are those in live jobs, none where the controller does not look
// for any. That they are not known is said on Stderr.
func (p Program) liveFindings(ctx context.Context, client *status.Client, f statusFlags) ([]status.Finding, error) {
	if f.json {
		return nil, nil // /v1/lint has them
	}
	all, err := client.Lint(ctx)
	if _, answered := errors.AsType[*status.APIError](err); answered {
		_, err = fmt.Fprintf(p.Stderr, "draingate: ask %s: %s\n", f.addr, plain(err.Error()))
		return nil, err
	}
	switch {
	case errors.Is(err, status.ErrNotLinted):
		return nil, nil
	case err != nil:
		return nil, cannotAsk(f.addr, err)
	}
	return slices.DeleteFunc(all, func(one status.Finding) bool { return f.namespace != "" && one.Namespace != f.namespace }), nil
}

// renderLintCounts prints one line for each job, which are together in the list.
func renderLintCounts(w io.Writer, all []status.Finding, p palette) error {
	if len(all) == 0 {
		return nil
	}
	rows := [][]string{{"  NAMESPACE", "JOB", "VERSION", "ERRORS", "WARNINGS", "NOTICES", "UNKNOWN", "RULES"}}
	for len(all) > 0 {
		n := sameJob(all)
		rows = append(rows, countRow(all[:n], p))
		all = all[n:]
	}
	var out bytes.Buffer
	fmt.Fprintln(&out, "\nLint of live jobs")
	for _, line := range grid(rows) {
		fmt.Fprintln(&out, line)
	}
	_, err := out.WriteTo(w)
	return err
}

// sameJob is how many findings at the start are in one job.
func sameJob(all []status.Finding) int {
	n := slices.IndexFunc(all, func(f status.Finding) bool { return f.Namespace != all[0].Namespace || f.Job != all[0].Job })
	if n < 0 {
		return len(all)
	}
	return n
}

func countRow(of []status.Finding, p palette) []string {
	row := []string{"  " + plain(of[0].Namespace), plain(of[0].Job), fmt.Sprint(of[0].JobVersion)}
	for _, severity := range rule.Severities() {
		n := 0
		for _, f := range of {
			if f.Severity == string(severity) {
				n++
			}
		}
		row = append(row, p.severity(string(severity), fmt.Sprint(n), n > 0))
	}
	var rules []string
	for _, f := range of {
		rules = append(rules, plain(f.Rule))
	}
	slices.Sort(rules)
	return append(row, strings.Join(slices.Compact(rules), " "))
}

// severity gives a text the colour of a severity, if it is on.
func (p palette) severity(severity, text string, on bool) string {
	like := map[string]string{string(rule.Error): "Fail", string(rule.Warning): "Hold", string(rule.Unknown): "Unknown"}[severity]
	if !on || like == "" {
		return text
	}
	return p.paintAs(text, like)
}

func renderLint(w io.Writer, all []status.Finding, p palette) error {
	var out bytes.Buffer
	for len(all) > 0 {
		n := sameJob(all)
		fmt.Fprintf(&out, "\nLint of job %s (namespace %s), version %d\n", plain(all[0].Job), plain(all[0].Namespace), all[0].JobVersion)
		for _, f := range all[:n] {
			renderFinding(&out, f, p)
		}
		all = all[n:]
	}
	_, err := out.WriteTo(w)
	return err
}

func renderFinding(w io.Writer, f status.Finding, p palette) {
	behind := ""
	if len(f.Proxies) > 0 {
		behind = ", behind " + plain(strings.Join(f.Proxies, ", "))
	}
	fmt.Fprintf(w, "  %s %s at %s%s\n", p.severity(f.Severity, plain(f.Severity), true), plain(f.Rule), plain(cmp.Or(f.Path, "the settings of Traefik")), behind)
	fmt.Fprintln(w, "    "+plain(f.Message))
	if f.Remedy == "" {
		return
	}
	fmt.Fprintln(w, "    write:")
	for line := range strings.SplitSeq(strings.TrimRight(f.Remedy, "\n"), "\n") {
		fmt.Fprintln(w, "      "+plain(line))
	}
}
