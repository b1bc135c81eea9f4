package lint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/jobspecs"
	"github.com/draingate/draingate/traefik"
	"github.com/draingate/draingate/traefik/client"
)

// Traefik says where the settings of the Traefik in front of the jobs come
// from. Its zero value assumes Traefik's own defaults.
type Traefik struct {
	// Config is a static configuration file in YAML, TOML or JSON, or a Nomad
	// job that runs Traefik; empty for none.
	Config string
	// Specs says how to read Config where it is a job. It may leave out variables
	// that are for the jobs to judge.
	Specs jobspecs.Options
	// API is a running instance, whose settings count before those of Config;
	// its URL is empty for none. PasswordFile holds the password of its user.
	API          client.Options
	PasswordFile string
	// Version is the version of Traefik, such as "3.6.12", where no running
	// instance tells it; empty where it is not known.
	Version string
}

// Settings are what the jobs are judged with.
type Settings struct {
	Value model.ProxySettings
	// Version is Traefik's, empty where it is not known.
	Version string
	// Assumed is true where nothing was given and these are Traefik's defaults.
	Assumed bool
	// Where is the file or the URL that findings about the settings name; empty
	// where they are assumed.
	Where string
	// Doubt, where not empty, says why they may be others.
	Doubt string

	origin *origin
}

// CannotAskError says that a running Traefik did not tell its settings.
type CannotAskError struct {
	URL string
	Err error
}

// Error names the URL and the flag that does without the process.
func (e *CannotAskError) Error() string {
	return fmt.Sprintf("read the settings of the Traefik at %s: %v (or give its static configuration with --traefik-config)", e.URL, e.Err)
}

// Unwrap returns what went wrong.
func (e *CannotAskError) Unwrap() error { return e.Err }

// ReadSettings reads the settings from where Traefik says. The error is a
// CannotAskError where a running instance does not answer; the file does not
// stand in for it, unless the instance is too old to report its settings.
func ReadSettings(ctx context.Context, t Traefik) (Settings, error) {
	file, err := fromConfig(t)
	file.Version = t.Version
	if err != nil || t.API.URL == "" {
		return file, err
	}
	process, err := fromProcess(ctx, t)
	switch {
	case errors.Is(err, client.ErrNoSupportDump) && t.Config != "":
		return file, nil
	case err != nil:
		return Settings{}, &CannotAskError{URL: t.API.URL, Err: err}
	}
	if t.Config != "" {
		process.Settings.Contradictions = traefik.Contradictions(process.Settings, file.Value)
	}
	return Settings{Value: process.Settings, Version: process.Version, Where: t.API.URL}, nil
}

// fromConfig reads the file or the job, or takes Traefik's defaults where there
// is neither.
func fromConfig(t Traefik) (Settings, error) {
	if t.Config == "" {
		return Settings{Value: traefik.Defaults(), Assumed: true}, nil
	}
	content, err := os.ReadFile(t.Config)
	if err != nil {
		return Settings{}, fmt.Errorf("--traefik-config: %w: give Traefik's static configuration (YAML, TOML or JSON), or the Nomad job that runs it", err)
	}
	read := fromFile
	if isJob(t.Config, content) {
		read = fromJob
	}
	out, err := read(t, content)
	// A rule says that in the report, beside all else.
	if err != nil && !errors.Is(err, traefik.ErrRefreshInterval) {
		return Settings{}, fmt.Errorf("--traefik-config: %w", err)
	}
	out.Where = t.Config
	return out, nil
}

func fromFile(t Traefik, content []byte) (Settings, error) {
	value, err := traefik.ParseStatic(t.Config, content)
	return Settings{Value: value, origin: &origin{file: t.Config, content: content, places: traefik.StaticPlaces(t.Config, content)}}, err
}

// fromJob reads a job specification that runs Traefik.
func fromJob(t Traefik, content []byte) (Settings, error) {
	t.Specs.AllowUndeclared = true
	job, err := jobspecs.Parse(jobspecs.Source{Name: t.Config, Content: content}, t.Specs)
	if err != nil {
		return Settings{}, fmt.Errorf("read the job that runs Traefik: %s", strings.Join(strings.Fields(err.Error()), " "))
	}
	found, err := traefik.SettingsFromJob(&job.Job, "")
	if err != nil {
		err = fmt.Errorf("%s: %w", t.Config, err)
	}
	out := Settings{Value: found.ProxySettings, Doubt: found.Doubt}
	out.Value.Source = t.Config
	out.origin = &origin{file: t.Config, content: content, places: found.Places, job: job}
	return out, err
}

func fromProcess(ctx context.Context, t Traefik) (client.Dump, error) {
	if t.PasswordFile != "" {
		var err error
		if t.API.Password, err = client.ReadPassword(t.PasswordFile); err != nil {
			return client.Dump{}, err
		}
	}
	c, err := client.New(t.API)
	if err != nil {
		return client.Dump{}, err
	}
	return c.Dump(ctx)
}
