package options

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// Lint is everything that `draingate lint` can be told about what to judge the
// jobs with.
type Lint struct {
	// Traefik has one URL at most. Services and the settings that go with them
	// are not used.
	Traefik Traefik
	// TraefikVersion is Traefik's version where no running one tells it, such
	// as 3.6.12; empty where it is not known.
	TraefikVersion string
	// Margin is what S must have in hand over T + L.
	Margin time.Duration
	// Vars and VarFiles are for the variables of the job specifications.
	Vars, VarFiles []string
	// Against are files with the versions that run now.
	Against []string
	// Jobs are jobs of a Nomad, each ID or NAMESPACE/ID; Namespace is for those
	// without one.
	Jobs      []string
	Namespace string
	// AgainstLive compares each job with the version that Nomad has.
	AgainstLive bool
	// FailOn is the mildest severity that makes the command fail, or never.
	FailOn string
	// Fix writes what is safe to write into the files, Diff prints it. With Diff
	// alone nothing is written.
	Fix, Diff bool
	// Paths are the files, folders and patterns.
	Paths []string
}

// DefaultLint returns the settings of a lint that was told nothing.
func DefaultLint() Lint {
	d := Default()
	return Lint{Traefik: d.Traefik, Margin: d.Margin, FailOn: "error"}
}

// Validate returns the first thing that is wrong, as one line that names the
// flag and says what would be right. It opens the files that are named.
func (l Lint) Validate() error { //nolint:gocyclo // one check after another, each a line or two
	if len(l.Traefik.URLs) > 1 {
		return fmt.Errorf("--traefik-url is given %d times: lint judges with one Traefik at a time, so run it once for each", len(l.Traefik.URLs))
	}
	if len(l.Paths) == 0 && len(l.Jobs) == 0 && l.Traefik.Config == "" && len(l.Traefik.URLs) == 0 {
		return errors.New("nothing to lint: give files, folders or patterns, such as `draingate lint .`, or - for standard input, or --job NAME")
	}
	if err := l.jobsAreSound(); err != nil {
		return err
	}
	if (l.Fix || l.Diff) && len(l.Paths) == 0 {
		return errors.New("--fix and --diff are for files: give the job specification as PATH")
	}
	if l.Fix && slices.Contains(l.Paths, "-") {
		return errors.New("--fix cannot write to standard input: give the file itself, or use --diff without --fix")
	}
	if v := l.TraefikVersion; v != "" && !regexp.MustCompile(`^v?[0-9]+\.[0-9]+(\.[0-9]+)?$`).MatchString(v) {
		return fmt.Errorf("--traefik-version %q is no version: give one such as 3.6.12", v)
	}
	r := Run{Traefik: l.Traefik, Margin: l.Margin, DefaultMode: model.ModeObserve}
	for _, check := range []func(Run) error{urlsAreBases, configIsReadable, credentialsArePaired, tlsIsUsed, certificateIsPaired, marginIsSound} {
		if err := check(r); err != nil {
			return err
		}
	}
	if len(l.Traefik.URLs) == 0 && l.Traefik.APIUser+l.Traefik.APICA+l.Traefik.APIBasePath != "" {
		return errors.New("--traefik-api-user, --traefik-api-ca and --traefik-api-base-path need --traefik-url")
	}
	return nil
}

func (l Lint) jobsAreSound() error {
	if l.Namespace == "*" {
		return errors.New("--namespace *: give one namespace")
	}
	for _, name := range l.Jobs {
		if namespace, id := l.Job(name); namespace == "" || id == "" || namespace == "*" {
			return fmt.Errorf("--job %q is no job: give its ID, or NAMESPACE/ID", name)
		}
	}
	if l.AgainstLive && len(l.Paths) == 0 {
		return errors.New("--against-live compares files with what runs: give the files, such as `draingate lint --against-live web.nomad.hcl`")
	}
	return nil
}

// Job splits the name of a job into its namespace and its ID. A job whose ID
// has a slash needs its namespace before it.
func (l Lint) Job(name string) (namespace, id string) {
	if before, after, ok := strings.Cut(name, "/"); ok {
		return before, after
	}
	return cmp.Or(l.Namespace, "default"), name
}
