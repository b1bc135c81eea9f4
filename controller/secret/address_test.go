package secret

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithoutUser(t *testing.T) {
	for given, want := range map[string]string{
		"":                                   "",
		"http://10.0.0.2:4646":               "http://10.0.0.2:4646",
		"https://me:hunter2@10.0.0.2:4646/x": "https://10.0.0.2:4646/x",
		"HTTP://hunter2@h":                   "HTTP://h",
		"unix:///run/user@1000/api.sock":     "unix:///run/user@1000/api.sock",
		"unix://me:hunter2@h/x":              "unix://h/x",
		"127.0.0.1:8500":                     "127.0.0.1:8500",
		"/login?token=hunter2":               "/login",
		"me:hunter2@127.0.0.1:8500":          "127.0.0.1:8500",
		"http://me:hunter2@ho st:1":          "http://ho st:1",
		"http://me:hunt@er2@10.0.0.2:4646":   "http://10.0.0.2:4646",
		"http://h/a?token=hunter2#hunter2":   "http://h/a",
		"http://h#hunter2":                   "http://h",
		// A password goes on until the @, for all that is known.
		"http://me:8/hunter2@h":         "http://…",
		"http://me:hunter2?x@h":         "http://…",
		"http://me:hunter2#x@h":         "http://…",
		"http://h/?mail=a@b&t=hunter2":  "http://…",
		"me:a://hunter2@h":              "…",
		"ftp://me:hunter2@h":            "…",
		"http://h/path?mail=me@hunter2": "http://…",
	} {
		got := WithoutUser(given)
		require.Equal(t, want, got, given)
		require.Equal(t, got, WithoutUser(got), "what is shown may be shown again")
	}
}

func FuzzWithoutUser(f *testing.F) {
	f.Add("me", "hunt/er2", "h:1/x")
	f.Add("a?b", "c@d#e", "[::1]")
	f.Fuzz(func(t *testing.T, user, password, host string) {
		const mark = "M4RKED"
		if strings.HasPrefix(user, "unix:///") {
			return // the path of a socket
		}
		for _, scheme := range []string{"", "http://", "https://", "ftp://"} {
			require.NotContains(t, WithoutUser(scheme+user+mark+":"+password+mark+"@"+host), mark)
		}
	})
}
