package status_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/controller/status"
)

func TestFind(t *testing.T) {
	records := []model.Record{record("aaaa1111-x"), record("aaaa2222-y"), record("bbbb"), record("bbbb3333"), record("c")}
	tests := map[string]struct {
		id, want string
		err      error
	}{
		"a full ID finds itself":                          {"aaaa1111-x", "aaaa1111-x", nil},
		"a full ID wins over a longer one that begins so": {"bbbb", "bbbb", nil},
		"a full ID may be short":                          {"c", "c", nil},
		"a unique prefix finds its deployment":            {"aaaa2", "aaaa2222-y", nil},
		"a prefix of two is ambiguous":                    {"aaaa", "", status.ErrAmbiguous},
		"a prefix of none is not found":                   {"dddd", "", status.ErrNotFound},
		"three characters are too few":                    {"bbb", "", status.ErrPrefixTooShort},
		"nothing is too few":                              {"", "", status.ErrPrefixTooShort},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := status.Find(records, tt.id)
			require.ErrorIs(t, err, tt.err)
			require.Equal(t, tt.want, got.Key.Deployment)
		})
	}
}

func FuzzFind(f *testing.F) {
	f.Add("aaaa1111\naaaa2222\nbbbb", "aaaa")
	f.Add("", "")
	f.Add("bbbb\nbbbb3333", "bbbb")
	f.Fuzz(func(t *testing.T, all, id string) {
		var records []model.Record
		exact, prefixed := false, 0
		for line := range strings.SplitSeq(all, "\n") {
			records = append(records, record(line))
			exact = exact || (line == id && id != "")
			if strings.HasPrefix(line, id) {
				prefixed++
			}
		}
		got, err := status.Find(records, id)
		switch {
		case err == nil && got.Key.Deployment != id && (prefixed != 1 || len(id) < status.MinPrefix || !strings.HasPrefix(got.Key.Deployment, id)):
			t.Fatalf("%q found %q among %q", id, got.Key.Deployment, all)
		case exact && err != nil:
			t.Fatalf("%q stands in %q and was not found: %v", id, all, err)
		case errors.Is(err, status.ErrNotFound) && prefixed > 0, errors.Is(err, status.ErrAmbiguous) && prefixed < 2:
			t.Fatalf("%q has %d matches in %q, but: %v", id, prefixed, all, err)
		}
	})
}
