package nomad

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if serveAsTask() {
		return
	}
	// Idle connections of the API's client end on their own.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// flagUpdate tells whether golden files are to be written.
func flagUpdate() bool { return os.Getenv("UPDATE_GOLDEN") != "" }
