package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/tree"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

// What a terminal is told (ECMA-48, and xterm for the second screen). On the
// second screen nothing of what was there before is lost.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
)

// screen is a view that draws a tree anew whenever something changes.
type screen struct {
	out     io.Writer
	palette palette
	now     func() time.Time
	// size is asked before each drawing, so that the terminal may change.
	size func() (width, height int)

	list    []status.Deployment
	trouble string
	polling bool
	// stale is true where there were news since the list was read.
	stale bool
	begun bool
}

func (s *screen) begin(list []status.Deployment) error {
	s.list, s.begun = list, true
	if _, err := io.WriteString(s.out, enterScreen); err != nil {
		return err
	}
	return s.draw()
}

// end goes back to the first screen and leaves the last picture there.
func (s *screen) end() {
	if !s.begun {
		return
	}
	s.begun = false
	_, _ = io.WriteString(s.out, leaveScreen+strings.Join(s.picture(), "\n")+"\n")
}

// change waits for the next tick, so that many changes are one drawing.
func (s *screen) change(n news, _ func() ([]status.Deployment, error)) error {
	s.trouble, s.polling, s.stale = n.trouble, n.polling, n.trouble == ""
	return nil
}

func (s *screen) tick(read func() ([]status.Deployment, error)) error {
	if s.stale {
		list, err := read()
		switch {
		case err != nil:
			s.trouble = err.Error()
		default:
			s.list, s.stale = list, false
		}
	}
	return s.draw()
}

// draw overwrites line by line, which does not flicker.
func (s *screen) draw() error {
	width, height := s.size()
	picture := s.picture()
	if height > 1 && len(picture) > height-1 {
		picture = append(picture[:height-2:height-2], fmt.Sprintf("… %d more lines: a JOB or a larger terminal shows them", len(picture)-height+2))
	}
	var out strings.Builder
	out.WriteString(home)
	for _, line := range picture {
		out.WriteString(lipgloss.NewStyle().MaxWidth(max(width, 1)).Render(line) + clearLine + "\r\n")
	}
	out.WriteString(clearBelow)
	_, err := io.WriteString(s.out, out.String())
	return err
}

// picture is the tree, and below it how the watch itself is.
func (s *screen) picture() []string {
	now := s.now()
	var out []string
	for _, d := range s.list {
		out = append(out, strings.Split(s.tree(d, now), "\n")...)
	}
	if len(s.list) == 0 {
		out = append(out, "No deployments.")
	}
	state := "following"
	switch {
	case s.trouble != "":
		state = "lost the events, so this may be old: " + plain(s.trouble)
	case s.polling:
		state = "this controller has no events: asking every " + watchPoll.String()
	}
	return append(out, "", clock(now)+" "+state)
}

// tree has the deployment, its message, its groups and its conditions.
func (s *screen) tree(d status.Deployment, now time.Time) string {
	root := tree.Root(fmt.Sprintf("%s/%s version %d (%s) %s: %s %s for %s", plain(d.Namespace), plain(d.Job), d.JobVersion,
		model.Short(plain(d.ID)), plain(d.Status), s.palette.paint(plain(d.Decision)), plain(d.Reason), age(now, d.Since)))
	root.Child(plain(d.Message))
	if d.Problem != "" {
		root.Child("problem: " + plain(d.Problem))
	}
	if ended := (model.Deployment{Status: d.Status}); ended.Terminal() {
		return root.String()
	}
	for _, g := range d.Groups {
		root.Child(groupLine(g))
	}
	for _, c := range d.Conditions {
		root.Child(fmt.Sprintf("%s %s for %s: %s: %s", plain(c.Type), s.palette.paint(plain(c.Status)), age(now, c.Since), plain(c.Reason), plain(c.Message)))
	}
	return root.String()
}

func groupLine(g status.Group) string {
	state := fmt.Sprintf("group %s: %d of %d canaries placed, %d healthy, %d unhealthy; %d wanted in all",
		plain(g.Name), len(g.PlacedCanaries), g.DesiredCanaries, g.HealthyAllocs, g.UnhealthyAllocs, g.DesiredTotal)
	if g.DesiredCanaries == 0 {
		state = fmt.Sprintf("group %s: no canaries, %d of %d placed, %d healthy, %d unhealthy", plain(g.Name), g.PlacedAllocs, g.DesiredTotal, g.HealthyAllocs, g.UnhealthyAllocs)
	}
	if g.Promoted {
		state += ", promoted"
	}
	return state
}
