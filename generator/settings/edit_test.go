package settings_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator/settings"
)

func TestWithPins(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	added := map[string]settings.Pin{"actions/checkout": {SHA: a, Version: "v8"}}
	block := "pins:\n  actions/checkout:\n    sha: \"" + a + "\"\n    version: \"v8\"\n"
	for _, tc := range []struct{ name, src, want string }{
		{name: "a missing file", src: "", want: block},
		{name: "a file of comments", src: "# mine\n", want: "# mine\n" + block},
		{name: "no final newline", src: "statuses: true", want: "statuses: true\n" + block},
		{name: "pins in the middle keep what surrounds them", src: "statuses: true\npins: {}\n\n# about the schedule\nschedule: off # never\n", want: "statuses: true\n" + block + "\n# about the schedule\nschedule: off # never\n"},
		{name: "another pin stays, and so does its comment", src: "pins:\n  # held back\n  cachix/cachix-action: " + b + "\n", want: "pins:\n  # held back\n  actions/checkout:\n    sha: \"" + a + "\"\n    version: \"v8\"\n  cachix/cachix-action:\n    sha: \"" + b + "\"\n"},
		{name: "a file with a margin keeps it", src: "  statuses: true\n", want: "  statuses: true\n  " + strings.ReplaceAll(strings.TrimSuffix(block, "\n"), "\n", "\n  ") + "\n"},
		{name: "an older pin is replaced", src: "pins:\n  actions/checkout:\n    sha: " + b + "\n", want: block},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := settings.WithPins([]byte(tc.src), added)
			require.NoError(t, err)
			assert.Equal(t, tc.want, string(got))
		})
	}
	for _, src := range []string{"{statuses: true}\n", "statuses: true\n...\n", "nonsense: 1\n"} {
		_, err := settings.WithPins([]byte(src), added)
		require.Error(t, err, src)
	}
}

func TestWhatTheTemplateShowsIsWrittenInItsPlace(t *testing.T) {
	t.Parallel()
	named, err := settings.WithCachix(settings.Template(), "acme")
	require.NoError(t, err)
	text := string(named)
	assert.Contains(t, text, "\n\n## Where builds are pushed and looked for.\ncache:\n  name: \"acme\"\n")
	assert.NotContains(t, text, "\n# cache:")
	// What is below can still be uncommented.
	s, diags := settings.Parse("", []byte(strings.Replace(text, "#   private: false\n", "  private: true\n", 1)))
	assert.Empty(t, diags)
	assert.True(t, s.Cache.Private)

	pinned, err := settings.WithPins(named, map[string]settings.Pin{"actions/checkout": {SHA: strings.Repeat("a", 40)}})
	require.NoError(t, err)
	assert.NotContains(t, string(pinned), "\n# pins:")
}
