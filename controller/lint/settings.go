package lint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik"
	"github.com/draingate/draingate/traefik/client"
)

// Traefik says where the settings of the Traefik in front of the jobs come
// from. Its zero value assumes Traefik's own defaults.
type Traefik struct {
	// Config is a static configuration file, YAML or TOML; empty for none.
	Config string
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
	file, err := fromFile(t.Config)
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

// fromFile reads the file, or takes Traefik's defaults where there is none.
func fromFile(name string) (Settings, error) {
	if name == "" {
		return defaults()
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return Settings{}, fmt.Errorf("--traefik-config: %w: give Traefik's static configuration, YAML or TOML", err)
	}
	value, err := traefik.ParseStatic(name, content)
	// A rule says that in the report, beside all else.
	if err != nil && !errors.Is(err, traefik.ErrRefreshInterval) {
		return Settings{}, fmt.Errorf("--traefik-config: %w", err)
	}
	return Settings{Value: value, Where: name}, nil
}

// defaults are those of a Traefik whose Consul catalog provider was enabled and
// nothing else.
func defaults() (Settings, error) {
	value, err := traefik.ParseStatic("defaults.json", []byte(`{"providers":{"consulCatalog":{}}}`))
	if err != nil {
		return Settings{}, fmt.Errorf("take Traefik's defaults: %w", err)
	}
	value.Source = "Traefik's defaults"
	return Settings{Value: value, Assumed: true}, nil
}

func fromProcess(ctx context.Context, t Traefik) (client.Dump, error) {
	if t.PasswordFile != "" {
		password, err := os.ReadFile(t.PasswordFile)
		if err != nil {
			return client.Dump{}, fmt.Errorf("--traefik-api-password-file: %w", err)
		}
		t.API.Password = strings.TrimRight(string(password), "\r\n")
	}
	c, err := client.New(t.API)
	if err != nil {
		return client.Dump{}, err
	}
	return c.Dump(ctx)
}
