package lint

import "github.com/draingate/draingate/traefik"

// oldestTags is the oldest Traefik whose tags are told apart from those of later
// ones: the comparison behind the versions of keys began with it (package
// traefik, versions.go).
const oldestTags = "3.0.0"

// Versions are the versions of the servers that something rests on.
type Versions struct{ Nomad, Consul, Traefik string }

// Tested returns the versions that the end-to-end tests run. They are those
// that the modules under hack/ pin.
func Tested() Versions { return Versions{Nomad: "1.11.3", Consul: "1.22.3", Traefik: "3.6.12"} }

// NomadModule is the module whose parser reads job specifications: its version
// is the version of Nomad whose job specifications are known.
const NomadModule = "github.com/hashicorp/nomad"

// TagVersions are the versions of Traefik whose tags are known: those from
// Oldest to Newest, and all that ReadAs takes are read exactly as it reads them.
type TagVersions struct{ Oldest, ReadAs, Newest string }

// KnownTags returns the versions of Traefik whose tags are known.
func KnownTags() TagVersions {
	return TagVersions{Oldest: oldestTags, ReadAs: traefik.TagsVersion, Newest: traefik.NewestVersion}
}
