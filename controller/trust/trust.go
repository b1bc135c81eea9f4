package trust

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// ErrHandshake means that client and server do not trust each other, or that
// only one of them speaks TLS. No further try cures it.
var ErrHandshake = errors.New("no trusted connection")

// Names are the variables or flags by which a person sets how one system is
// reached.
type Names struct {
	// CA has the authorities to trust, Cert and Key the certificate to show.
	CA, Cert, Key string
	// ServerName is the name to expect in the server's certificate.
	ServerName string
	// Address holds the scheme.
	Address string
}

// Wrap adds ErrHandshake and what to set to an error of a request. Other errors
// are returned as they are.
func (n Names) Wrap(err error) error {
	if advice := n.Advice(err); advice != "" {
		return fmt.Errorf("%w: %w: %s", ErrHandshake, err, advice)
	}
	return err
}

// PlainHTTP is Wrap for an answer with status 400: Go's servers say so in plain
// HTTP to a client that does not speak TLS to a port that does (net/http/server.go,
// go1.26). It is nil for any other text.
func (n Names) PlainHTTP(text string) error {
	if !strings.Contains(text, "HTTP request to an HTTPS server") {
		return nil
	}
	return fmt.Errorf("%w: the server speaks TLS: set %s to an address that starts with https://", ErrHandshake, n.Address)
}

// Advice says what to set where an error is that of a handshake, and is empty
// for any other.
func (n Names) Advice(err error) string {
	var (
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &unknown):
		return fmt.Sprintf("set %s to a file with the authority that signed the server's certificate", n.CA)
	case errors.As(err, &host):
		return fmt.Sprintf("set %s to a name that is in the server's certificate, or %s to one of its addresses", n.ServerName, n.Address)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the server's certificate is past its time, or this machine's clock is wrong"
	case refused(err):
		return fmt.Sprintf("the server wants a client certificate that it trusts: set %s and %s", n.Cert, n.Key)
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Sprintf("the server does not speak TLS: set %s to an address that starts with http://", n.Address)
	default:
		return ""
	}
}

// refused reports whether the server ended the handshake: it does so where the
// client shows no certificate, or one that it does not trust. The alert's type
// is not exported (crypto/tls/conn.go, go1.26), its operation is.
func refused(err error) bool {
	if errors.Is(err, io.EOF) {
		return false
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}
