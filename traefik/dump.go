package traefik

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/draingate/draingate/controller/model"
)

// SourceProcess is the Source of settings that a running Traefik reported.
const SourceProcess = "process"

// mask is what Traefik's redactor puts in the place of text, and eight times
// in a row in the place of anything that looks like a URL or a host name
// (pkg/redactor/redactor.go, v3.6.12).
const mask = "xxxx"

type dumpFile struct {
	Providers *struct {
		ProvidersThrottleDuration duration
		ConsulCatalog             json.RawMessage
	}
}

// SettingsFromDump reads the settings from static-config.json, a member of
// what /api/support-dump answers. Traefik leaves out every option that has
// its Go zero value, so here an absent option is zero (false for
// exposedByDefault, no throttle), never Traefik's default.
//
// An option that is masked, mistyped or not known is an error.
func SettingsFromDump(staticConfigJSON []byte) (model.ProxySettings, error) {
	out, err := settingsFromDump(staticConfigJSON)
	if err != nil {
		return model.ProxySettings{}, fmt.Errorf("the static configuration that the process reports: %w", err)
	}
	return out, nil
}

func settingsFromDump(content []byte) (model.ProxySettings, error) {
	var root dumpFile
	if err := json.Unmarshal(content, &root); err != nil {
		return model.ProxySettings{}, err
	}
	if root.Providers == nil {
		return model.ProxySettings{}, errors.New("it has no providers section")
	}
	catalog, err := catalogFromDump(root.Providers.ConsulCatalog)
	if err != nil {
		return model.ProxySettings{}, fmt.Errorf("%s: %w", catalogPath, err)
	}
	return settings(SourceProcess, time.Duration(root.Providers.ProvidersThrottleDuration), catalog, timeoutsFromDump(content))
}

// catalogFromDump is strict about keys, because a Traefik with an option that
// is not known here may take longer to stop routing than is computed.
func catalogFromDump(content json.RawMessage) (*catalogSettings, error) {
	if len(content) == 0 || string(content) == "null" {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.DisallowUnknownFields()
	var c catalogSettings
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := c.unmasked(); err != nil {
		return nil, err
	}
	return &c, nil
}

// unmasked refuses settings whose text the redactor has hidden.
func (c *catalogSettings) unmasked() error {
	if strings.Contains(c.Constraints, mask) {
		return errors.New("constraints is masked, since Traefik's redactor takes part of it for a URL or a host name: match on tags that look like neither")
	}
	if strings.Contains(c.Prefix, mask) {
		return errors.New("prefix is masked, since Traefik's redactor takes it for a URL or a host name: use a prefix without a dot")
	}
	for _, s := range c.StrictChecks {
		if strings.Contains(s, mask) {
			return errors.New("strictChecks is masked")
		}
	}
	return nil
}
