package traefik

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/draingate/draingate/controller/model"
)

// words are what follows the name of the program on its command line.
func (t traefikTask) words() ([]word, error) {
	p := t.task.Program
	for _, name := range []string{"image", "command", "entrypoint", "args", "volumes", "mount", "mounts", "work_dir"} {
		if slices.Contains(p.Odd, name) {
			return nil, fmt.Errorf("%s is in no form that is understood", t.at.Child("config").Child(name))
		}
	}
	words := t.configWords()
	if !inContainer(t.task) || len(p.Entrypoint) > 0 {
		if len(words) == 0 || !startsTraefik(words[0].text) {
			return nil, errors.New("what its command does with the arguments is not known: start Traefik itself")
		}
		if path.Base(words[0].text) == imageEntrypoint {
			return afterEntrypoint(words[1:])
		}
		return afterName(words[1:])
	}
	return afterEntrypoint(words)
}

// imageEntrypoint is what Traefik's image runs.
const imageEntrypoint = "entrypoint.sh"

func startsTraefik(program string) bool {
	base := strings.ToLower(path.Base(program))
	return strings.Contains(base, "traefik") || base == imageEntrypoint
}

// afterEntrypoint are the arguments behind the entrypoint of Traefik's image,
// which puts the name of the program before the first one that is a flag.
func afterEntrypoint(words []word) ([]word, error) {
	switch {
	case len(words) == 0 || strings.HasPrefix(words[0].text, "-"):
		return words, nil
	case startsTraefik(words[0].text):
		return afterName(words[1:])
	default:
		return nil, fmt.Errorf("it runs %q and not Traefik", words[0].text)
	}
}

// afterName refuses commands other than to serve.
func afterName(words []word) ([]word, error) {
	if len(words) > 0 && words[0].text == "traefik" {
		words = words[1:]
	}
	if len(words) > 0 && !strings.HasPrefix(words[0].text, "-") {
		return nil, fmt.Errorf("the argument %q makes Traefik run a command and not serve", words[0].text)
	}
	return words, nil
}

func (t traefikTask) configWords() []word {
	p, at := t.task.Program, t.at.Child("config")
	var out []word
	add := func(text string, at model.Path) { out = append(out, word{t.fill.value(text), at}) }
	for i, text := range p.Entrypoint {
		add(text, at.Child("entrypoint").Index(i))
	}
	if p.Command != "" {
		add(p.Command, at.Child("command"))
	}
	for i, text := range p.Args {
		add(text, at.Child("args").Index(i))
	}
	return out
}
