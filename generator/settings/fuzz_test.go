package settings

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"garnix2gha/generator/diag"
)

func FuzzParse(f *testing.F) {
	f.Add(Template())
	f.Add(uncommented())
	for _, tc := range rules() {
		f.Add([]byte(tc.src))
	}
	fixtures, err := filepath.Glob("testdata/valid/*.yaml")
	require.NoError(f, err)
	for _, path := range fixtures {
		src, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(src)
	}
	compiled := compile(f, Schema())
	f.Fuzz(func(t *testing.T, src []byte) {
		p := &parser{places: places{given: map[string]diag.Pos{}}, nodes: map[string]*yaml.Node{}, faulty: map[string]bool{}, expressions: map[string]*regexp.Regexp{}}
		if given := p.document(src); !p.diags.HasErrors() {
			require.Equal(t, compiled.Validate(given) == nil, p.breaches(book(), given) == nil)
		}
		s, diags := Parse(file, src)
		require.Equal(t, diags.HasErrors(), s == nil)
		for _, d := range diags {
			require.NotEmpty(t, d.Code)
			require.True(t, utf8.ValidString(d.Message))
			require.LessOrEqual(t, d.Line, len(src)+1)
		}
		if s == nil {
			return
		}
		instance, err := toJSON(src)
		require.NoError(t, err)
		require.NoError(t, compiled.Validate(instance))
	})
}
