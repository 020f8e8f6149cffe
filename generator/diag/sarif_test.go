package diag_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/diag"
)

func TestSARIF(t *testing.T) {
	t.Parallel()
	var l diag.List
	l.Errorf(diag.Pos{File: "nix/a b%?:ü.yml", Line: 3, Column: 4}, "one", "do\x1b[31m", "bad [x](http://evil.example)\u202e")
	l.Warnf(diag.Pos{File: "a:b", Line: 2}, "two", "", "careful")
	l.Add(diag.Notice, diag.Pos{File: "garnix.yaml"}, "one", "", "by the way")
	place := func(uri, region string) string {
		return `"locations": [{"physicalLocation": {"artifactLocation": {"uri": "` + uri + `"}` + region + `}}]`
	}
	rule := func(id string) string {
		return `{"id": "` + id + `", "shortDescription": {"text": "about ` + id + `"}, "fullDescription": {"text": "about ` + id + `"}, "help": {"text": "all of ` + id + `"}}`
	}
	for _, tc := range []struct {
		name           string
		list           diag.List
		rules, results string
	}{
		{name: "no findings", rules: "", results: ""},
		{
			name: "findings", list: l,
			rules: rule("one") + "," + rule("two"),
			results: `{"ruleId": "one", "ruleIndex": 0, "level": "error", "message": {"text": "bad [x] (http://evil.example)\uFFFD\ndo\uFFFD[31m"},` +
				place("nix/a%20b%25%3F:%C3%BC.yml", `, "region": {"startLine": 3, "startColumn": 4}`) + `},
				{"ruleId": "two", "ruleIndex": 1, "level": "warning", "message": {"text": "careful"},` + place("./a:b", `, "region": {"startLine": 2}`) + `},
				{"ruleId": "one", "ruleIndex": 0, "level": "note", "message": {"text": "by the way"},` + place("garnix.yaml", "") + `}`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			require.NoError(t, diag.SARIF(&out, tc.list, "v1.2.3", func(code string) (string, string) { return "about " + code, "all of " + code }))
			assert.JSONEq(t, `{
				"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
				"runs": [{
					"tool": {"driver": {"name": "garnix2gha", "version": "v1.2.3", "rules": [`+tc.rules+`]}},
					"columnKind": "unicodeCodePoints", "results": [`+tc.results+`]
				}]
			}`, out.String())
		})
	}
}
