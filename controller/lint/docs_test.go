package lint_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/rule"
)

var update = flag.Bool("update", false, "write the head of each section of docs/rules.md, and a section for each rule without one")

const rulesPage = "../../docs/rules.md"

// section is what the page says of one rule.
type section struct {
	id, head, rest string
	// bad and good are jobs or parts of one, now is the version that runs now.
	bad, good, now string
	// settings are Traefik's static settings by label: those of the bad
	// example, those of the good one, and those of both.
	settings map[string]string
	also     []string
}

func TestRulesPage(t *testing.T) {
	content, err := os.ReadFile(rulesPage)
	require.NoError(t, err)
	if *update {
		content = []byte(updated(string(content)))
		require.NoError(t, os.WriteFile(rulesPage, content, 0o600))
	}
	start, sections := parsePage(string(content))
	require.Equal(t, updated(string(content)), string(content), "run: go test ./controller/lint -run TestRulesPage -update")
	var documented, declared []string
	for _, s := range sections {
		documented = append(documented, s.id)
	}
	for _, r := range lint.Rules() {
		declared = append(declared, r.ID)
	}
	require.Equal(t, declared, documented, "each rule has its section, in order")
	base := fence(start, "hcl")
	settings := fence(start, "yaml")
	require.Empty(t, ids(t, base, "", settings), "the job of the examples is a good one")
	for _, s := range sections {
		t.Run(s.id, func(t *testing.T) { s.execute(t, base, settings) })
	}
}

// execute requires that the bad example has the finding and the good one has
// not, and that neither has any other than those that the section names.
func (s section) execute(t *testing.T, base, settings string) {
	require.NotEmpty(t, s.bad+s.settings["Bad"], "there is a bad example")
	require.NotEmpty(t, s.good+s.settings["Good"], "there is a good example")
	now := ""
	if s.now != "" {
		now = within(t, base, s.now)
	}
	for label, example := range map[string]string{"Bad": s.bad, "Good": s.good} {
		found := ids(t, within(t, base, example), now, s.settingsOf(label, settings))
		require.Equal(t, label == "Bad", slices.Contains(found, s.id), "%s example: found %v", label, found)
		for _, id := range found {
			require.True(t, id == s.id || slices.Contains(s.also, id), "%s example: found %s too", label, id)
		}
	}
}

// settingsOf are Traefik's settings for an example.
func (s section) settingsOf(label, otherwise string) string {
	return cmp.Or(s.settings[label], s.settings["Traefik in front"], otherwise)
}

// ids are the rules that find something, sorted.
func ids(t *testing.T, job, now, static string) []string {
	t.Helper()
	result, err := lint.Run(optionsFor(t, job, now, static))
	require.NoError(t, err)
	return rulesIn(result.Findings)
}

// rulesIn are the rules of findings, sorted and each once.
func rulesIn(findings []lint.Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, f.Rule)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// optionsFor look at a job with Traefik's settings and what runs now.
func optionsFor(t *testing.T, job, now, static string) lint.Options {
	t.Helper()
	traefik := lint.Traefik{Version: "3.6.12"}
	if !strings.HasPrefix(static, "#") { // a comment alone stands for no file
		traefik.Config = put(t, "traefik.yml", static)
	}
	settings, err := lint.ReadSettings(t.Context(), traefik)
	require.NoError(t, err)
	o := lint.Options{Paths: []string{put(t, "example.nomad.hcl", job)}, Settings: settings, Margin: time.Second}
	if now != "" {
		o.Against = []string{put(t, "now.nomad.hcl", now)}
	}
	return o
}

// within puts a part of a group into the job of the examples, in the place of
// what that has of the same names. What begins with job or variable is whole.
func within(t *testing.T, base, part string) string {
	t.Helper()
	if regexp.MustCompile(`(?m)^(job|variable) "`).MatchString(part) {
		return part
	}
	names := map[string]bool{}
	body := parseBody(t, part)
	for name := range body.Attributes {
		names[name] = true
	}
	for _, b := range body.Blocks {
		names[b.Type] = true
	}
	group := parseBody(t, base).Blocks[0].Body.Blocks[0]
	cut := []hcl.Range{}
	for name, a := range group.Body.Attributes {
		if names[name] {
			cut = append(cut, a.SrcRange)
		}
	}
	for _, b := range group.Body.Blocks {
		if names[b.Type] {
			cut = append(cut, b.Range())
		}
	}
	slices.SortFunc(cut, func(a, b hcl.Range) int { return b.Start.Byte - a.Start.Byte })
	out := base[:group.CloseBraceRange.Start.Byte] + "\n" + part + "\n" + base[group.CloseBraceRange.Start.Byte:]
	for _, r := range cut {
		out = out[:r.Start.Byte] + out[r.End.Byte:]
	}
	return out
}

func parseBody(t *testing.T, text string) *hclsyntax.Body {
	t.Helper()
	f, diags := hclsyntax.ParseConfig([]byte(text), "example", hcl.InitialPos)
	require.False(t, diags.HasErrors(), "%v in\n%s", diags, text)
	return f.Body.(*hclsyntax.Body)
}

// parsePage splits the page into what stands before the first rule and its
// sections.
func parsePage(page string) (string, []section) {
	at := regexp.MustCompile(`(?m)^## (DG[0-9]{3}): .*$`).FindAllStringSubmatchIndex(page, -1)
	if len(at) == 0 {
		return page, nil
	}
	var out []section
	for i, m := range at {
		end := len(page)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		out = append(out, parseSection(page[m[2]:m[3]], page[m[0]:end]))
	}
	return page[:at[0][0]], out
}

func parseSection(id, text string) section {
	s := section{id: id, head: text, settings: map[string]string{}}
	if at := regexp.MustCompile(`(?m)^(Bad|Now runs|Traefik in front).*:$`).FindStringIndex(text); at != nil {
		s.head, s.rest = text[:at[0]], text[at[0]:]
	}
	for _, m := range regexp.MustCompile("(?ms)^(Bad|Good|Now runs|Traefik in front)[^\n]*:\n\n```(hcl|yaml)\n(.*?)^```$").FindAllStringSubmatch(s.rest, -1) {
		switch label, body := m[1], m[3]; {
		case m[2] == "yaml":
			s.settings[label] = body
		case label == "Bad":
			s.bad = body
		case label == "Good":
			s.good = body
		case label == "Now runs":
			s.now = body
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^Also found: (.*)\.$`).FindAllStringSubmatch(s.rest, -1) {
		s.also = append(s.also, regexp.MustCompile(`DG[0-9]{3}`).FindAllString(m[1], -1)...)
	}
	return s
}

func fence(text, language string) string {
	m := regexp.MustCompile("(?ms)^```" + language + "\n(.*?)^```$").FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

// head is the part of a section that follows from the rule.
func head(r rule.Rule) string {
	var out strings.Builder
	fmt.Fprintf(&out, "## %s: %s\n\n**%s**: %s\n\n%s\n\n", r.ID, r.Name, r.Severity, r.Summary, r.Why)
	for _, v := range []struct{ of, is string }{{"Nomad", r.Nomad}, {"Traefik", r.Traefik}} {
		if v.is != "" {
			fmt.Fprintf(&out, "Of %s: %s.\n\n", v.of, v.is)
		}
	}
	if r.Fixes != "" {
		return out.String() + fmt.Sprintf("`--fix` %s.\n\n", r.Fixes)
	}
	return out.String() + "`--fix` leaves this to you.\n\n"
}

// updated has the head of each section as it follows from the rules, and an
// empty section for each rule that had none.
func updated(page string) string {
	start, sections := parsePage(page)
	var out strings.Builder
	out.WriteString(start)
	for _, r := range lint.Rules() {
		out.WriteString(head(r))
		i := slices.IndexFunc(sections, func(s section) bool { return s.id == r.ID })
		if i < 0 {
			out.WriteString("Bad:\n\n```hcl\n```\n\nGood:\n\n```hcl\n```\n\n")
			continue
		}
		out.WriteString(sections[i].rest)
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}
