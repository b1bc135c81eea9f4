package secret

import (
	"slices"
	"strings"
)

// Hidden stands in what is shown for what is not.
const Hidden = "…"

// WithoutUser returns an address or a URL as it may be shown: without
// credentials before its host, without its query and its fragment. It takes any
// text, as what a person mistyped is shown too. Where an @ after the first slash,
// question mark or number sign leaves open whether a password goes on until
// there, nothing but the scheme is shown.
func WithoutUser(address string) string {
	scheme, rest := cutScheme(address)
	if scheme == "unix://" && strings.HasPrefix(rest, "/") {
		return address // a path, which no credentials stand before
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, path := rest[:end], rest[end:]
	if strings.Contains(path, "@") {
		return scheme + Hidden
	}
	if cut := strings.IndexAny(path, "?#"); cut >= 0 {
		path = path[:cut]
	}
	return scheme + authority[strings.LastIndex(authority, "@")+1:] + path
}

// cutScheme knows the schemes that addresses have here. Any other text before
// :// may be the beginning of credentials.
func cutScheme(address string) (scheme, rest string) {
	known := []string{"http", "https", "unix"}
	if name, after, ok := strings.Cut(address, "://"); ok && slices.Contains(known, strings.ToLower(name)) {
		return name + "://", after
	}
	return "", address
}
