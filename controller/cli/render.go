package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"golang.org/x/term"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// palette colours words; without colour it returns them as they are.
type palette struct{ on bool }

// palette has colour on a terminal whose owner did not refuse it (NO_COLOR).
func (p Program) palette() palette {
	f, ok := p.Stdout.(*os.File)
	return palette{on: ok && term.IsTerminal(int(f.Fd())) && p.environment("NO_COLOR") == "" && p.environment("TERM") != "dumb"}
}

func (p palette) paint(text string) string { return p.paintAs(text, text) }

// paintAs gives a text the colour of a word.
func (p palette) paintAs(text, word string) string {
	colours := map[string]string{
		string(model.Promote): "2", string(model.VerdictSafe): "2", string(model.True): "2",
		string(model.Hold): "3", string(model.Fence): "3", string(model.VerdictMasked): "3", string(model.Unknown): "3",
		string(model.Fail): "1", string(model.VerdictUnsafe): "1", string(model.False): "1",
	}
	colour, ok := colours[word]
	if !p.on || !ok {
		return text
	}
	return lipgloss.NewStyle().Foreground(lipgloss.Color(colour)).Render(text)
}

// grid lays out rows in aligned columns and returns one line for each.
func grid(rows [][]string) []string {
	t := table.New().
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderHeader(false).BorderColumn(false).BorderRow(false).
		StyleFunc(func(_, _ int) lipgloss.Style { return lipgloss.NewStyle().PaddingRight(2) }).
		Rows(rows...)
	lines := strings.Split(t.Render(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// plain makes what a server sent harmless for a terminal: on one line, and
// without control characters.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		default:
			return r
		}
	}, text)
}

func renderList(w io.Writer, list []status.Deployment, now time.Time, p palette) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "No deployments.")
		return err
	}
	rows := [][]string{{"NAMESPACE", "JOB", "VERSION", "STATUS", "DECISION", "REASON", "FOR", "DEPLOYMENT"}}
	for _, d := range list {
		rows = append(rows, []string{
			plain(d.Namespace), plain(d.Job), fmt.Sprint(d.JobVersion), plain(d.Status), p.paint(plain(d.Decision)),
			plain(d.Reason), age(now, d.Since), model.Short(plain(d.ID)),
		})
	}
	return renderRows(w, rows, func(w io.Writer, i int) {
		if list[i].Message != "" {
			fmt.Fprintln(w, "    "+plain(list[i].Message))
		}
	})
}

func renderDetails(w io.Writer, details []status.Detail, now time.Time, p palette) error {
	out := bufio.NewWriter(w)
	for i, d := range details {
		if i > 0 {
			fmt.Fprintln(out)
		}
		renderHead(out, d, now, p)
		renderConditions(out, d, p)
		renderWindows(out, d, p)
	}
	return out.Flush()
}

func renderHead(w io.Writer, d status.Detail, now time.Time, p palette) {
	rows := [][]string{
		{"Job", plain(fmt.Sprintf("%s (namespace %s), version %d", d.Job, d.Namespace, d.JobVersion))},
		{"Deployment", plain(d.ID + ", " + d.Status)},
		{"Decision", p.paint(plain(d.Decision)) + ": " + plain(d.Reason)},
		{"Since", clock(d.Since) + ", for " + age(now, d.Since)},
		{"Observed", clock(d.Observed) + ", " + age(now, d.Observed) + " ago"},
		{"Mode", plain(d.Mode) + dryRun(d.DryRun)},
	}
	if !d.PromotedAt.IsZero() {
		rows = append(rows, []string{"Promoted", clock(d.PromotedAt) + ", " + age(now, d.PromotedAt) + " ago"})
	}
	if d.Problem != "" {
		rows = append(rows, []string{"Problem", plain(d.Problem)})
	}
	for _, line := range grid(append(rows, []string{"Message", plain(d.Message)})) {
		fmt.Fprintln(w, line)
	}
}

func dryRun(on bool) string {
	if on {
		return ", dry run: nothing is written"
	}
	return ""
}

func renderConditions(w io.Writer, d status.Detail, p palette) {
	if len(d.Conditions) == 0 {
		return
	}
	rows := [][]string{{"  CONDITION", "STATUS", "SINCE", "REASON", "MESSAGE"}}
	for _, c := range d.Conditions {
		rows = append(rows, []string{"  " + plain(c.Type), p.paint(plain(c.Status)), clock(c.Since), plain(c.Reason), plain(c.Message)})
	}
	fmt.Fprintln(w, "\nConditions")
	for _, line := range grid(rows) {
		fmt.Fprintln(w, line)
	}
}

func renderWindows(w io.Writer, d status.Detail, p palette) {
	if len(d.Windows) == 0 {
		return
	}
	fmt.Fprintln(w, "\nDrain: safe where S >= T + L + margin")
	fmt.Fprintln(w, "  S is how long the old instance serves after it left rotation, T how long the proxy goes on sending to it")
	declared := false
	for _, win := range d.Windows {
		fmt.Fprintf(w, "\n  %s: service %s, group %s, allocation %s: %s\n",
			plain(win.Proxy), plain(win.Service), plain(win.Group), model.Short(plain(win.Allocation)), p.paint(plain(win.Verdict)))
		rows := append(sumRows("S", win.Servable), sumRows("T", win.StopRouting)...)
		rows = append(rows, []string{"    L", win.LongestRequest.Text, "longest request"}, []string{"    margin", win.Margin.Text})
		for _, line := range grid(rows) {
			fmt.Fprintln(w, line)
		}
		if win.Why != "" {
			fmt.Fprintln(w, "    why: "+plain(win.Why))
		}
		declared = declared || hasDeclared(win.Servable) || hasDeclared(win.StopRouting)
	}
	if declared {
		fmt.Fprintln(w, "\n  * declared by the job, not measured")
	}
}

// sumRows has the sum and then each term below it.
func sumRows(letter string, s *status.Sum) [][]string {
	if s == nil {
		return [][]string{{"    " + letter, "unknown", ""}}
	}
	rows := [][]string{{"    " + letter, s.Text, ""}}
	for _, t := range s.Terms {
		name := plain(t.Name)
		if t.Declared {
			name += " *"
		}
		rows = append(rows, []string{"", "  " + t.Text, name + from(t.Source)})
	}
	return rows
}

func from(source string) string {
	if source == "" {
		return ""
	}
	return " (" + plain(source) + ")"
}

func hasDeclared(s *status.Sum) bool {
	if s == nil {
		return false
	}
	for _, t := range s.Terms {
		if t.Declared {
			return true
		}
	}
	return false
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// age rounds to the second; a date from a clock that runs ahead has age 0.
func age(now, since time.Time) string {
	if since.IsZero() {
		return "-"
	}
	return max(now.Sub(since).Round(time.Second), 0).String()
}
