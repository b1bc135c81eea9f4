package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// configFlag names the flag for the file.
const configFlag = "config"

// fileKey is the attribute that stands in for a flag.
func fileKey(flag string) string { return strings.ReplaceAll(flag, "-", "_") }

// inFile reports whether a flag can be set by the file: all but those about
// this one call.
func inFile(f *pflag.Flag) bool {
	return !slices.Contains([]string{"help", configFlag, checkFlag}, f.Name)
}

// fromFile sets every flag that neither the command line nor the environment
// set, from the HCL file that --config names. Every mistake in it is told, each
// with its place.
func fromFile(cmd *cobra.Command) error {
	name := cmd.Flag(configFlag).Value.String()
	if name == "" {
		return nil
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("--%s: %w", configFlag, err)
	}
	file, diagnostics := hclparse.NewParser().ParseHCL(content, name)
	if diagnostics.HasErrors() {
		return oneLineEach(diagnostics)
	}
	attributes, diagnostics := file.Body.JustAttributes()
	for _, key := range sortedByPlace(attributes) {
		if d := setFromFile(cmd.LocalFlags(), attributes[key]); d != nil {
			diagnostics = append(diagnostics, d)
		}
	}
	return oneLineEach(diagnostics)
}

// sortedByPlace returns the names in the order of the file.
func sortedByPlace(attributes hcl.Attributes) []string {
	out := make([]string, 0, len(attributes))
	for name := range attributes {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b string) int { return attributes[a].Range.Start.Byte - attributes[b].Range.Start.Byte })
	return out
}

// setFromFile returns what is wrong with one attribute.
func setFromFile(flags *pflag.FlagSet, a *hcl.Attribute) *hcl.Diagnostic {
	flag := flags.Lookup(strings.ReplaceAll(a.Name, "_", "-"))
	if flag == nil || !inFile(flag) || fileKey(flag.Name) != a.Name {
		return mistake(a.NameRange, unknownKey(flags, a.Name))
	}
	value, diagnostics := a.Expr.Value(nil)
	if diagnostics.HasErrors() {
		return diagnostics[0]
	}
	list, isList := flag.Value.(pflag.SliceValue)
	texts, err := asTexts(value, isList)
	switch {
	case err != nil:
		return mistake(a.Expr.Range(), fmt.Sprintf("%s: %v", a.Name, err))
	case flag.Changed:
		return nil
	case isList:
		// A comma in a text is part of it here.
		err = list.Replace(texts)
	default:
		err = flag.Value.Set(texts[0])
	}
	if err != nil {
		return mistake(a.Expr.Range(), fmt.Sprintf("%s, which stands for --%s: %v", a.Name, flag.Name, err))
	}
	flag.Changed = true
	return nil
}

// asTexts returns a value as it would be written on the command line.
func asTexts(value cty.Value, list bool) ([]string, error) {
	if !list {
		text, err := convert.Convert(value, cty.String)
		if err != nil || text.IsNull() || !text.IsKnown() {
			return nil, errors.New("give one value and not " + value.Type().FriendlyName())
		}
		return []string{text.AsString()}, nil
	}
	texts, err := convert.Convert(value, cty.List(cty.String))
	if err != nil || texts.IsNull() || !texts.IsWhollyKnown() {
		return nil, errors.New(`give a list of texts, such as ["one", "two"]`)
	}
	var out []string
	for _, t := range texts.AsValueSlice() {
		if t.IsNull() {
			return nil, errors.New("a list must not hold null")
		}
		out = append(out, t.AsString())
	}
	return out, nil
}

// unknownKey names the key that is nearest, if one is near.
func unknownKey(flags *pflag.FlagSet, name string) string {
	var keys []string
	flags.VisitAll(func(f *pflag.Flag) {
		if inFile(f) {
			keys = append(keys, fileKey(f.Name))
		}
	})
	like := suggestion(name, keys)
	if like == "" {
		return fmt.Sprintf("%s means nothing here: the keys are the flags of draingate run, with _ for -", name)
	}
	return fmt.Sprintf("%s means nothing here: did you mean %s?", name, like)
}

func mistake(at hcl.Range, text string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: text, Subject: &at}
}

// oneLineEach joins all errors, each as file:line:column: text.
func oneLineEach(diagnostics hcl.Diagnostics) error {
	var out []error
	for _, d := range diagnostics {
		if d.Severity != hcl.DiagError {
			continue
		}
		text := strings.Join(strings.Fields(strings.TrimSpace(d.Summary+": "+d.Detail)), " ")
		text = strings.TrimSuffix(text, ":")
		if d.Subject != nil {
			text = fmt.Sprintf("%s:%d:%d: %s", d.Subject.Filename, d.Subject.Start.Line, d.Subject.Start.Column, text)
		}
		out = append(out, errors.New(text))
	}
	return errors.Join(out...)
}
