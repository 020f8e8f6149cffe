package workflow_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/workflow"
)

func TestRender(t *testing.T) {
	t.Parallel()
	fs := fstest.MapFS{
		"main.jsonnet":  {Data: []byte(`function(plan) { 'a.yml': { name: plan.name, run: importstr 'x.sh' } }`)},
		"x.sh":          {Data: []byte("one\r\ntwo\n")},
		"lib.libsonnet": {Data: []byte(`{ suffix: '!' }`)},
	}
	plan := map[string]string{"name": "n1"}
	for _, tc := range []struct {
		name, overlay, want, diagnostic, hint string
	}{
		{name: "templates alone", want: "name: n1\n\nrun: |\n  one\n  two\n"},
		{name: "an overlay changes a field", overlay: `function(w) w + { 'a.yml'+: { name+: (import 'lib.libsonnet').suffix } }`, want: "name: n1!\n\nrun: |\n  one\n  two\n"},
		{name: "an overlay that fails says where", overlay: "function(w)\n  w { x: error 'no' }", diagnostic: "o:2:10: no [overlay-invalid]"},
		{name: "an overlay with a syntax error says where", overlay: "function(w)\n  w {", diagnostic: "o:2:6: Unexpected: end of file"},
		{name: "an overlay that is no function is refused", overlay: "{}", diagnostic: "o: Unexpected type object, expected function"},
		{name: "an overlay cannot read files", overlay: "function(w) w { x: importstr '/etc/passwd' }", diagnostic: "o:1:20: "},
		{name: "an overlay cannot write elsewhere", overlay: "function(w) { '../x.yml': {} }", diagnostic: `o: "../x.yml" is no workflow file name [overlay-invalid]`},
		{name: "an overlay must give objects", overlay: "function(w) { 'x.yml': 1 }", diagnostic: "o: x.yml is not an object [overlay-invalid]"},
		{name: "an overlay changes what is not there", overlay: "function(w) w { 'b.yml'+: { name: super.name } }", diagnostic: "o:1:35: ", hint: "is the name of the workflow"},
		{name: "an overlay must give an object", overlay: "function(w) []", diagnostic: "o: the result is not an object of workflows [overlay-invalid]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var overlay []byte
			if tc.overlay != "" {
				overlay = []byte(tc.overlay)
			}
			files, diags, err := workflow.Render(fs, plan, "o", overlay)
			require.NoError(t, err)
			if tc.diagnostic != "" {
				require.Len(t, diags, 1)
				assert.Contains(t, diags[0].String(), tc.diagnostic)
				assert.Contains(t, diags[0].Hint, tc.hint)
				assert.Empty(t, files)
				return
			}
			require.Empty(t, diags)
			require.Len(t, files, 1)
			assert.Equal(t, tc.want, string(files[0].Body))
		})
	}
}

func TestRenderReportsFaultsOfTheTemplatesAsErrors(t *testing.T) {
	t.Parallel()
	_, _, err := workflow.Render(fstest.MapFS{"main.jsonnet": {Data: []byte("function(plan) error 'broken'")}}, nil, "", nil)
	assert.ErrorContains(t, err, "broken")
}
