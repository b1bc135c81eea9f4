package traefik_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// member unpacks one file of a tar.gz.
func member(t *testing.T, archive []byte, name string) []byte {
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	require.NoError(t, err)
	files := tar.NewReader(zip)
	for {
		header, err := files.Next()
		require.NoError(t, err, "%s is not in the archive", name)
		if header.Name != name {
			continue
		}
		content, err := io.ReadAll(files)
		require.NoError(t, err)
		return content
	}
}
