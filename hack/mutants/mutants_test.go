package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// fixture makes a module with a guard that a test looks at and one that none
// does, and goes there.
func fixture(t *testing.T, list string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"go.mod":     "module example.org/fixture\n\ngo 1.26\n",
		".gitignore": "ignored.go\n",
		"ignored.go": "this is no Go and must not be copied\n",
		"gate/gate.go": `package gate

type Reason string

const (
	TooShort Reason = "TooShort"
	TooShortOnce Reason = "TooShortOnce"
	Fine = Reason("Fine")
	notOne string = "NotOne"
)

func Hold(s, t int) bool {
	if s < t {
		return true
	}
	return false
}

type Gate struct{}

func (g *Gate) Hold(s int) bool {
	if s < 0 {
		return true
	}
	return false
}
`,
		"gate/gate_test.go": `package gate

import "testing"

func TestHold(t *testing.T) {
	if !Hold(1, 2) || Hold(2, 1) {
		t.Fatal("wrong")
	}
}

func TestBroken(t *testing.T) { t.Fatal("always") }
`,
		"list.txt": list,
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
	require.NoError(t, exec.CommandContext(t.Context(), "git", "init", "-q").Run())
}

func TestRun(t *testing.T) {
	const guard = "TooShort | gate/gate.go | s < t => false && s < t | ./gate -run TestHold\n"
	tests := map[string]struct {
		list string
		args []string
		code int
		want string
	}{
		"a change that a test notices is killed":              {guard, nil, exitOK, "1 killed, 0 survived"},
		"the other arrow is as good":                          {"a | gate/gate.go | s < t → s > t | ./gate -run TestHold", nil, exitOK, "1 killed"},
		"a change that no test notices survives":              {guard + "b | gate/gate.go | s < 0 => s < -1 | ./gate -run TestHold", nil, exitSurvived, "1 killed, 1 survived"},
		"a change that does not compile proves nothing":       {guard + "b | gate/gate.go | s < t => nonsense | ./gate -run TestHold", nil, exitBroken, "b does not compile"},
		"tests that fail anyway prove nothing":                {"a | gate/gate.go | s < t => false | ./gate", nil, exitBroken, "fails without any change"},
		"tests that are not there prove nothing":              {"a | gate/gate.go | s < t => false | ./gate -run TestNone", nil, exitBroken, "runs no test"},
		"one change can be run alone":                         {guard + "b | gate/gate.go | s < 0 => s < -1 | ./gate -run TestHold", []string{"-run", "TooShort"}, exitOK, "1 changes: 1 killed"},
		"an ID that is not there is an error":                 {guard, []string{"-run", "x"}, exitBroken, `no change has the ID "x"`},
		"a text that is not there is an error":                {"a | gate/gate.go | s == t => false | ./gate", nil, exitBroken, "does not occur in gate/gate.go"},
		"a text that is there twice is an error":              {"a | gate/gate.go | return true => return false | ./gate", nil, exitBroken, "occurs 2 times in gate/gate.go, at lines 14, 23"},
		"the function makes it unique":                        {"a | gate/gate.go#Hold | return true => return false | ./gate -run TestHold", nil, exitOK, "1 killed"},
		"a method is named with its type":                     {"a | gate/gate.go#Gate.Hold | return true => return false | ./gate -run TestHold", nil, exitSurvived, "1 survived"},
		"a function that is not there is an error":            {"a | gate/gate.go#Nope | x => y | ./gate", nil, exitBroken, "has no function Nope"},
		"a file that is not there is an error":                {"a | gate/none.go | x => y | ./gate", nil, exitBroken, "none.go"},
		"a file outside is an error":                          {"a | ../x.go | x => y | ./gate", nil, exitBroken, "no Go file below"},
		"two changes of one ID are an error":                  {guard + guard, nil, exitBroken, "stands in line 1 already"},
		"a line of three fields is an error":                  {"a | gate/gate.go | s => t", nil, exitBroken, "list.txt:1: want 4 fields"},
		"a change without an arrow is an error":               {"a | gate/gate.go | s | ./gate", nil, exitBroken, "is not OLD => NEW"},
		"an empty list is an error":                           {"# nothing\n", nil, exitBroken, "no changes in it"},
		"a reason without a change is an error":               {guard, []string{"-reasons", "gate"}, exitBroken, "no change for the reason TooShortOnce"},
		"a reason whose name begins another's is not covered": {"TooShortOnce | gate/gate.go | s < t => false | ./gate -run TestHold", []string{"-reasons", "gate"}, exitBroken, "no change for the reason TooShort of"},
		"an exemption for no reason is an error":              {guard + "exempt | Gone | it is gone", []string{"-reasons", "gate"}, exitBroken, "declares no such reason"},
		"an exemption says why":                               {guard + "exempt | Fine | ", []string{"-reasons", "gate"}, exitBroken, "why it needs no change"},
		"changes and exemptions cover all reasons": {guard + "TooShortOnce-2 | gate/gate.go | s < t => false | ./gate -run TestHold\nexempt | Fine | promotes",
			[]string{"-reasons", "gate"}, exitOK, "2 killed"},
		"a flag that is none is an error": {guard, []string{"-nope"}, exitBroken, "nope"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			fixture(t, tt.list)
			var out, errs bytes.Buffer
			code := run(t.Context(), append([]string{"-list", "list.txt"}, tt.args...), &out, &errs)
			require.Equal(t, tt.code, code, "%s%s", &out, &errs)
			require.Contains(t, out.String()+errs.String(), tt.want)
			source, err := os.ReadFile("gate/gate.go")
			require.NoError(t, err)
			require.Contains(t, string(source), "if s < t {\n\t\treturn true", "the original is never touched")
		})
	}
}

// A change whose text is no longer there would only show in `make mutants`,
// which takes long and is not run for every change.
func TestTheListFitsTheSource(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	_, err := prepare(settings{list: "hack/mutants.txt", reasons: "controller/gate"})
	require.NoError(t, err)
}
