package secret

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxRefusal bounds what is kept of an answer that is no success, in bytes:
// what it says ends in a log and in messages.
const maxRefusal = 64 << 10

// Transport returns a transport that hides what a request proves its right with
// in every answer that is no success, whose text becomes a part of an error: a
// server, or what stands before it, may echo the request. Such an answer is cut
// after 64 KiB.
func Transport(next http.RoundTripper) http.RoundTripper { return transport{next} }

// shortest is how much of a credential is too little to be one.
const shortest = 4

type transport struct{ next http.RoundTripper }

// RoundTrip sends the request as it is.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil || resp.StatusCode < http.StatusMultipleChoices {
		return resp, err
	}
	if hidden := credentials(r); len(hidden) > 0 {
		conceal(resp, hidden)
	}
	return resp, nil
}

// CloseIdleConnections closes those of the transport below.
func (t transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// credentials are what a request proves its right with, each in every form in
// which an answer may have it, the longest first.
func credentials(r *http.Request) []string {
	var out []string
	for _, name := range []string{"X-Nomad-Token", "X-Consul-Token"} {
		out = append(out, r.Header.Get(name))
	}
	_, sent, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	out = append(out, sent)
	if user, password, ok := r.BasicAuth(); ok {
		out = append(out, user+":"+password, password)
	}
	for _, plain := range slices.Clone(out) {
		quoted := strconv.Quote(plain)
		out = append(out, base64.StdEncoding.EncodeToString([]byte(plain)), base64.RawURLEncoding.EncodeToString([]byte(plain)), quoted[1:len(quoted)-1])
	}
	out = slices.DeleteFunc(out, func(s string) bool { return s == "" })
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(out)
}

// conceal replaces the credentials in the headers and in the body. A body that
// is compressed is not any more.
func conceal(resp *http.Response, hidden []string) {
	for _, values := range resp.Header {
		for i := range values {
			values[i] = without(values[i], hidden)
		}
	}
	text, failed := read(resp)
	_ = resp.Body.Close()
	if failed != nil || len(text) == maxRefusal {
		text = withoutBeginning(text, hidden)
	}
	text = without(text, hidden)
	resp.Header.Del("Content-Encoding")
	resp.Header.Set("Content-Length", strconv.Itoa(len(text)))
	resp.ContentLength = int64(len(text))
	resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(text), failing{failed}))
}

// withoutBeginning cuts the beginning of a credential at the end of a text that
// is not whole: the rest of it may be what is missing.
func withoutBeginning(text string, hidden []string) string {
	for _, h := range hidden {
		for n := min(len(h)-1, len(text)); n >= shortest; n-- {
			if strings.HasSuffix(text, h[:n]) {
				return text[:len(text)-n]
			}
		}
	}
	return text
}

func without(text string, hidden []string) string {
	for _, h := range hidden {
		text = strings.ReplaceAll(text, h, Hidden)
	}
	return text
}

// read returns the body as it is to be understood, and why it broke off.
func read(resp *http.Response) (string, error) {
	var body io.Reader = resp.Body
	if resp.Header.Get("Content-Encoding") == "gzip" {
		plain, err := gzip.NewReader(resp.Body)
		if err != nil {
			return "", err
		}
		body = plain
	}
	var out bytes.Buffer
	_, err := io.Copy(&out, io.LimitReader(body, maxRefusal))
	return out.String(), err
}

// failing is a reader at whose end an error stands, io.EOF if it is nil.
type failing struct{ err error }

// Read has nothing to give.
func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}
