package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Identity returns when the process started and its version. The start date
// has nanoseconds and changes with each restart (pkg/version/version.go,
// v3.6.12), so it tells one process from another behind the same address.
func (c *Client) Identity(ctx context.Context) (started time.Time, version string, err error) {
	const path = "/api/version"
	body, err := c.get(ctx, path, jsonType, versionLimit)
	if err != nil {
		return time.Time{}, "", err
	}
	started, version, err = parseIdentity(body)
	if err != nil {
		return time.Time{}, "", c.failed(path, err)
	}
	return started, version, nil
}

// parseIdentity also reads version.json of a support dump, whose keys differ
// in case only.
func parseIdentity(body []byte) (time.Time, string, error) {
	var v struct {
		Version   string
		StartDate time.Time `json:"startDate"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return time.Time{}, "", fmt.Errorf("the answer is not Traefik's version: %w", err)
	}
	if v.StartDate.IsZero() {
		return time.Time{}, "", errors.New("the answer has no startDate, so it cannot be told which process answers")
	}
	return v.StartDate, v.Version, nil
}
