package model

import (
	"net/url"
	"strings"
)

// WithoutUser returns an address or URL without the credentials before its
// host, so that it can be shown. What is no URL loses all before its last @.
func WithoutUser(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		u.User = nil
		return u.String()
	}
	return address[strings.LastIndex(address, "@")+1:]
}
