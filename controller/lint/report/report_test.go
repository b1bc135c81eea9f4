package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/lint"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/rule"
)

var update = flag.Bool("update", false, "write the golden files")

// sample has one finding of each kind that a format treats differently.
func sample() lint.Result {
	window := model.Window{
		S: 6 * time.Second, T: 18100 * time.Millisecond, L: 3 * time.Second, Margin: time.Second,
		STerms: []model.Term{{Name: "group shutdown_delay"}, {Name: "declared drain", Value: 6 * time.Second, Declared: true}},
		TTerms: []model.Term{{Name: "refreshInterval", Value: 15 * time.Second}, {Name: "throttle", Value: 2 * time.Second}, {Name: "load and apply", Value: 1100 * time.Millisecond}},
	}
	return lint.Result{
		Files: 3, Unreadable: 1, Settings: lint.Settings{Assumed: true},
		Findings: []lint.Finding{
			{
				Rule: lint.Unreadable, Severity: rule.Error, File: "jobs/bad, or worse: 100%.hcl", Line: 1, Column: 9, EndLine: 3, EndColumn: 1,
				Message: "Unclosed configuration block", Excerpt: lint.Excerpt{Text: `job "x" {`, From: 8, To: 9},
			},
			{
				Rule: "DG201", Severity: rule.Error, File: "jobs/web.nomad.hcl", Line: 14, Column: 4, EndLine: 14, EndColumn: 11,
				Message: "S is 6s and T 18.1s", Remedy: "shutdown_delay = \"17s\"\n# 100% sure\n", Window: &window,
				Excerpt: lint.Excerpt{Text: "\t/* é漢 */ service {\x1b[31m", From: 15, To: 22},
			},
			{Rule: "DG201", Severity: rule.Warning, File: "/etc/traefik/traefik.yml", Message: "the settings <as> a whole & more"},
			{Rule: "DG201", Severity: rule.Notice, File: "http://10.0.0.5:8080", Message: "a process"},
			{Rule: "DG201", Severity: rule.Unknown, File: "stdin", Line: 1, Column: 1, EndLine: 1, EndColumn: 1, Message: "cannot be told", Excerpt: lint.Excerpt{Text: "{}"}},
		},
	}
}

func TestFormats(t *testing.T) {
	tests := map[string]Options{
		"text.txt":   {Format: Text},
		"colour.txt": {Format: Text, Colour: true},
		"json.json":  {Format: JSON},
		"github.txt": {Format: GitHub},
	}
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, Write(&out, sample(), o))
			golden(t, name, out.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o600))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestUnknownFormat(t *testing.T) {
	require.ErrorContains(t, Write(&bytes.Buffer{}, sample(), Options{Format: "xml"}), `format "xml": give text, json, sarif, github`)
}

func TestNoFindings(t *testing.T) {
	for format, want := range map[string]string{Text: "", JSON: "[]\n", GitHub: ""} {
		var out bytes.Buffer
		require.NoError(t, Write(&out, lint.Result{Files: 1}, Options{Format: format}))
		require.Equal(t, want, out.String(), format)
	}
}

func TestJSONHasTheseKeysOnly(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, Write(&out, sample(), Options{Format: JSON}))
	var list []map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &list))
	require.Len(t, list, 5)
	for _, one := range list {
		require.Len(t, one, 7)
		for _, key := range []string{"rule", "severity", "file", "line", "column", "message", "remedy"} {
			require.Contains(t, one, key)
		}
	}
}

func TestSARIFIsValid(t *testing.T) {
	for name, r := range map[string]lint.Result{"findings": sample(), "none": {Files: 1}} {
		require.NoError(t, newSARIF(r, "v1").Validate(), name)
	}
	broken := newSARIF(sample(), "v1")
	broken.Runs[0].Tool.Driver.Name = nil
	require.Error(t, broken.Validate(), "the schema is looked at")
}

func TestSARIFSaysWhere(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, Write(&out, sample(), Options{Format: SARIF, Version: "v1.2.3"}))
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Rules []struct{ ID, HelpURI string }
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           *struct{ StartLine, StartColumn, EndColumn int }
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &log))
	run := log.Runs[0]
	require.Len(t, run.Tool.Driver.Rules, len(lint.Rules()))
	require.Contains(t, run.Tool.Driver.Rules[0].HelpURI, "docs/rules.md#dg000-unreadable")
	require.Len(t, run.Results, 5)
	var uris, levels []string
	for i, r := range run.Results {
		require.Equal(t, r.RuleID, run.Tool.Driver.Rules[r.RuleIndex].ID, i)
		uris, levels = append(uris, r.Locations[0].PhysicalLocation.ArtifactLocation.URI), append(levels, r.Level)
	}
	require.Equal(t, []string{"jobs/bad,%20or%20worse:%20100%25.hcl", "jobs/web.nomad.hcl", "file:///etc/traefik/traefik.yml", "http://10.0.0.5:8080", "stdin"}, uris)
	require.Equal(t, []string{"error", "error", "warning", "note", "note"}, levels)
	require.Nil(t, run.Results[2].Locations[0].PhysicalLocation.Region)
	// The finding counts a tab, a letter of two code points and one that is
	// twice as wide as one column each; so does SARIF, by code points.
	region := run.Results[1].Locations[0].PhysicalLocation.Region
	require.Equal(t, 14, region.StartLine)
	require.Equal(t, 8, region.EndColumn-region.StartColumn+1)
}

func TestSummary(t *testing.T) {
	require.Equal(t, "3 files: 2 errors, 1 warning, 1 notice, 1 unknown; 1 file could not be parsed; "+
		"Traefik's defaults were assumed: give --traefik-config FILE or --traefik-url URL for your own", Summary(sample()))
	require.Equal(t, "1 file: no findings", Summary(lint.Result{Files: 1}))
}

func TestTimeline(t *testing.T) {
	require.Nil(t, Timeline(model.Window{}))
	safe := Timeline(model.Window{S: 20 * time.Second, T: 18 * time.Second})
	require.Len(t, safe, 2, "nothing is short, no L, no margin")
	for _, line := range Timeline(*sample().Findings[1].Window) {
		bar := line[strings.Index(line, "|"):strings.LastIndex(line, "|")]
		require.Len(t, bar, timelineWidth+1, line)
	}
}
