package client

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/traefik"
)

// ErrNoSupportDump says that this Traefik answers as such but does not report
// its settings: it is older than v3.3. They have to come from elsewhere.
var ErrNoSupportDump = errors.New("this Traefik does not report its settings (needs v3.3): give its static configuration with --traefik-config")

// Limits of what is unpacked of a dump, in bytes.
const (
	unpackLimit = 16 << 20
	memberLimit = 4 << 20
)

// Dump is what a process says about itself in one answer.
type Dump struct {
	Started  time.Time
	Version  string
	Settings model.ProxySettings
}

// Settings returns the static settings that the process reports. The error is
// ErrNoSupportDump where it is too old to do so.
func (c *Client) Settings(ctx context.Context) (model.ProxySettings, error) {
	d, err := c.Dump(ctx)
	return d.Settings, err
}

// Dump returns the static settings together with the identity of the process
// that has them. The error is ErrNoSupportDump where it is too old to do so.
func (c *Client) Dump(ctx context.Context) (Dump, error) {
	const path = "/api/support-dump"
	body, err := c.get(ctx, path, gzipType, dumpLimit)
	if hasStatus(err, http.StatusNotFound) {
		return Dump{}, c.noDump(ctx)
	}
	if err != nil {
		return Dump{}, err
	}
	d, err := parseDump(body)
	if err != nil {
		return Dump{}, c.failed(path, err)
	}
	return d, nil
}

// noDump tells an old Traefik from an API that is not there at all.
func (c *Client) noDump(ctx context.Context) error {
	_, version, err := c.Identity(ctx)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: version %q: %w", c.base, version, ErrNoSupportDump)
}

func parseDump(body []byte) (Dump, error) {
	members, err := unpack(body, "version.json", "static-config.json")
	if err != nil {
		return Dump{}, fmt.Errorf("unpack the support dump: %w", err)
	}
	var d Dump
	if d.Started, d.Version, err = parseIdentity(members["version.json"]); err != nil {
		return Dump{}, err
	}
	d.Settings, err = traefik.SettingsFromDump(members["static-config.json"])
	return d, err
}

// unpack returns the named members of a tar.gz and stops reading after the
// last of them.
func unpack(body []byte, names ...string) (map[string][]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer func() { _ = zip.Close() }() // What was read has been checked by then.
	archive := tar.NewReader(io.LimitReader(zip, unpackLimit))
	missing := make(map[string]bool, len(names))
	for _, n := range names {
		missing[n] = true
	}
	out := make(map[string][]byte, len(names))
	for len(missing) > 0 {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("it ends without all of %v", names)
		}
		if err != nil {
			return nil, err
		}
		if !missing[header.Name] {
			continue
		}
		if out[header.Name], err = readMember(header, archive); err != nil {
			return nil, err
		}
		delete(missing, header.Name)
	}
	return out, nil
}

func readMember(header *tar.Header, r io.Reader) ([]byte, error) {
	if header.Size > memberLimit {
		return nil, fmt.Errorf("%s is longer than %d bytes", header.Name, memberLimit)
	}
	content, err := io.ReadAll(io.LimitReader(r, memberLimit))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", header.Name, err)
	}
	return content, nil
}
