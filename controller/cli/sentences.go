package cli

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/lint/report"
	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// shownHistory is how many of the latest decisions explain shows.
const shownHistory = 10

func renderExplanations(w io.Writer, list []explanation, now time.Time, p palette) error {
	out := bufio.NewWriter(w)
	for i, e := range list {
		if i > 0 {
			fmt.Fprintln(out)
		}
		sayWhat(out, e, now)
		sayWhy(out, e, now, p)
		sayFence(out, e, now)
		sayParks(out, e, now)
		sayConditions(out, e, now, p)
		sayWindows(out, e, p)
		sayCure(out, e)
		sayHistory(out, e)
	}
	return out.Flush()
}

// heading begins a part, of which it is a sentence of its own.
func heading(w io.Writer, text string) { fmt.Fprintf(w, "\n%s\n", text) }

func say(w io.Writer, format string, args ...any) {
	fmt.Fprintln(w, "  "+plain(fmt.Sprintf(format, args...)))
}

func sayWhat(w io.Writer, e explanation, now time.Time) {
	fmt.Fprintln(w, plain(fmt.Sprintf("Version %d of job %s in namespace %s is being deployed (deployment %s, which Nomad calls %s).",
		e.JobVersion, e.Job, e.Namespace, e.ID, e.Status)))
	for _, g := range e.Groups {
		say(w, "%s", groupSentence(g))
	}
	if !e.PromotedAt.IsZero() {
		say(w, "draingate promoted it at %s, %s ago.", clock(e.PromotedAt), age(now, e.PromotedAt))
	}
}

func groupSentence(g status.Group) string {
	if g.DesiredCanaries == 0 {
		return fmt.Sprintf("Group %s has no canaries: %d of %d allocations of this version are placed, %d of them healthy.", g.Name, g.PlacedAllocs, g.DesiredTotal, g.HealthyAllocs)
	}
	var ids []string
	for _, id := range g.PlacedCanaries {
		ids = append(ids, model.Short(id))
	}
	canaries := "none is placed"
	if len(ids) > 0 {
		canaries = fmt.Sprintf("%d placed (%s)", len(ids), strings.Join(ids, ", "))
	}
	promoted := "not promoted"
	if g.Promoted {
		promoted = "promoted"
	}
	return fmt.Sprintf("Group %s wants %d allocations, %d of them canaries first: %s, %d healthy, %d unhealthy; %s.",
		g.Name, g.DesiredTotal, g.DesiredCanaries, canaries, g.HealthyAllocs, g.UnhealthyAllocs, promoted)
}

func sayWhy(w io.Writer, e explanation, now time.Time, p palette) {
	verbs := map[string]string{
		string(model.Hold): "It is held", string(model.Promote): "It can be promoted", string(model.None): "There is nothing to decide",
		string(model.Fence): "It is being fenced", string(model.Fail): "It is to be failed",
	}
	verb := verbs[e.Decision]
	if verb == "" {
		verb = "The decision is " + plain(e.Decision)
	}
	heading(w, fmt.Sprintf("%s: %s, since %s (for %s).", p.paintAs(verb, e.Decision), plain(e.Reason), clock(e.Since), age(now, e.Since)))
	say(w, "%s", sentence(e.Message))
	say(w, "%s", e.Meaning)
	say(w, "What to do: %s", e.Remedy)
	if e.Problem != "" {
		attempt := "promote"
		switch e.Decision {
		case string(model.Fail):
			attempt = "fail it"
		case string(model.Fence):
			attempt = "fence it"
		}
		say(w, "The last attempt to %s failed: %s", attempt, sentence(e.Problem))
	}
	say(w, "What happens next: %s", e.Next)
	say(w, "The reading behind this is %s old.", age(now, e.Observed))
}

// sentence has a capital at its beginning and a full stop at its end.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func sayConditions(w io.Writer, e explanation, now time.Time, p palette) {
	if len(e.Conditions) == 0 {
		return
	}
	heading(w, "The conditions:")
	var rows [][]string
	for _, c := range e.Conditions {
		is := map[string]string{string(model.True): "is true", string(model.False): "is not true", string(model.Unknown): "is not known"}[c.Status]
		message := c.Message
		if message == e.Message || c.Type == string(model.Parked) && slices.ContainsFunc(e.Parks, func(p status.Park) bool { return p.Reason == c.Reason }) {
			message = "as above"
		}
		rows = append(rows, []string{"  " + plain(c.Type), p.paintAs(is, c.Status), "for " + age(now, c.Since), plain(c.Reason) + ": " + plain(message)})
	}
	for _, line := range grid(rows) {
		fmt.Fprintln(w, line)
	}
}

func sayWindows(w io.Writer, e explanation, p palette) {
	if len(e.Windows) == 0 {
		return
	}
	heading(w, "Can the old instances go? Each must serve for S >= T + L + margin once it has left the catalog:")
	for _, win := range e.Windows {
		fmt.Fprintf(w, "\n  %s: ", p.paintAs(plain(win.Verdict), win.Verdict))
		fmt.Fprintln(w, plain(fmt.Sprintf("old allocation %s (group %s, service %s) behind proxy %s.", model.Short(win.Allocation), win.Group, win.Service, win.Proxy)))
		saySum(w, "It serves for S", "How long it serves (S)", win.Servable)
		saySum(w, "The proxy may go on sending to it for T", "How long the proxy may go on sending to it (T)", win.StopRouting)
		fmt.Fprintf(w, "    The longest request L may take %s, and the margin is %s.\n", win.LongestRequest.Text, win.Margin.Text)
		if win.Servable != nil && win.StopRouting != nil {
			need := win.StopRouting.Seconds + win.LongestRequest.Seconds + win.Margin.Seconds
			fmt.Fprintf(w, "    So S = %s stands against %s + %s + %s = %s.\n", win.Servable.Text, win.StopRouting.Text, win.LongestRequest.Text, win.Margin.Text, length(need))
			for _, line := range report.Timeline(windowOf(win)) {
				fmt.Fprintln(w, strings.TrimRight("    "+plain(line), " "))
			}
		}
		if win.Why != "" {
			say(w, "  %s", sentence(win.Why))
		}
	}
}

// saySum says what a time is made of, and who says so.
func saySum(w io.Writer, known, unknown string, s *status.Sum) {
	if s == nil {
		fmt.Fprintf(w, "    %s is not known.\n", unknown)
		return
	}
	var parts []string
	for _, t := range s.Terms {
		source := t.Source
		if t.Declared {
			source += ", declared by the job and not measured"
		}
		part := t.Text + " " + t.Name
		if source != "" {
			part += " (" + source + ")"
		}
		parts = append(parts, part)
	}
	text := fmt.Sprintf("%s = %s", known, s.Text)
	if len(parts) > 0 {
		text += " = " + strings.Join(parts, " + ")
	}
	fmt.Fprintln(w, "    "+plain(text)+".")
}

// windowOf is the window for the drawing, which needs no more than the figures.
func windowOf(w status.Window) model.Window {
	out := model.Window{L: duration(w.LongestRequest.Seconds), Margin: duration(w.Margin.Seconds)}
	if w.Servable != nil {
		out.S = duration(w.Servable.Seconds)
	}
	if w.StopRouting != nil {
		out.T = duration(w.StopRouting.Seconds)
	}
	return out
}

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
}

func length(seconds float64) string { return duration(seconds).String() }

// sayCure has the largest shutdown_delay that any window asks for, at each
// level of each group.
func sayCure(w io.Writer, e explanation) {
	type place struct{ group, level string }
	var order []place
	most := map[place]status.Duration{}
	for _, win := range e.Windows {
		if win.Cure == nil {
			continue
		}
		at := place{win.Group, win.Cure.Level}
		if _, known := most[at]; !known {
			order = append(order, at)
		}
		if win.Cure.ShutdownDelay.Seconds > most[at].Seconds {
			most[at] = win.Cure.ShutdownDelay
		}
	}
	if len(order) == 0 {
		return
	}
	heading(w, "The smallest cure, to paste into the running version, submitted with nothing else changed, and then into this one:")
	for _, at := range order {
		delay := fmt.Sprintf("shutdown_delay = %q", length(most[at].Seconds))
		fmt.Fprintf(w, "\n    group %q {\n", plain(at.group))
		if at.level == "group" {
			fmt.Fprintf(w, "      %s\n", delay)
		} else {
			fmt.Fprintf(w, "      %s {\n        %s\n      }\n", plain(at.level), delay)
		}
		fmt.Fprintln(w, "    }")
	}
}

func sayHistory(w io.Writer, e explanation) {
	var decisions []status.Event
	for _, ev := range e.History {
		if ev.Type == status.EventDecision || ev.Type == status.EventStatus {
			decisions = append(decisions, ev)
		}
	}
	if len(decisions) == 0 {
		return
	}
	heading(w, "How it came to this:")
	if more := len(decisions) - shownHistory; more > 0 {
		say(w, "… %d changes before these", more)
		decisions = decisions[more:]
	}
	for _, ev := range decisions {
		if ev.Type == status.EventStatus {
			say(w, "%s  Nomad calls it %s", clock(ev.At), ev.Status)
			continue
		}
		say(w, "%s  %s: %s", clock(ev.At), ev.Decision, ev.Reason)
	}
}
