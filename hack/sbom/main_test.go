package main

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// release is draingate as hack/dist.sh builds it, for Linux.
func release(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "draingate")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version=v9.9.9", "-o", out, "../../cmd/draingate")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=")
	text, err := build.CombinedOutput()
	require.NoError(t, err, "%s", text)
	return out
}

// A binary that needs no loader and no library runs on an image with nothing
// else in it; and its bill of materials names what it is made of.
func TestRelease(t *testing.T) {
	binary := release(t)
	file, err := elf.Open(binary)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	for _, p := range file.Progs {
		require.NotEqual(t, elf.PT_INTERP, p.Type, "the binary has an interpreter: it is not static")
	}
	libraries, err := file.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries)

	var first, second bytes.Buffer
	require.NoError(t, write(&first, binary, "v9.9.9", time.Unix(1e9, 0)))
	require.NoError(t, write(&second, binary, "v9.9.9", time.Unix(1e9, 0)))
	require.Equal(t, first.String(), second.String())
	require.NotContains(t, first.String(), filepath.Dir(binary), "no path of the machine")
	var bom struct {
		BOMFormat string
		Metadata  struct {
			Timestamp string
			Component struct{ Name, Version, PURL string }
		}
		Components []struct{ Name, Version, PURL string }
	}
	require.NoError(t, json.Unmarshal(first.Bytes(), &bom))
	require.Equal(t, "CycloneDX", bom.BOMFormat)
	require.Equal(t, "2001-09-09T01:46:40Z", bom.Metadata.Timestamp)
	require.Equal(t, "pkg:golang/github.com/draingate/draingate@v9.9.9", bom.Metadata.Component.PURL)
	names := map[string]string{}
	for _, c := range bom.Components {
		names[c.Name] = c.PURL
	}
	require.True(t, strings.HasPrefix(names["github.com/hashicorp/nomad/api"], "pkg:golang/github.com/hashicorp/nomad/api@v0.0.0-"), names)
	require.Contains(t, names, "std")
	require.NotContains(t, names, "github.com/stretchr/testify", "what only tests use is not in it")
}

func TestWriteNeedsAGoBinary(t *testing.T) {
	require.ErrorContains(t, write(&bytes.Buffer{}, "main.go", "", time.Time{}), "main.go")
}
