package settings

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// uncommented returns the template as it is when every "# " is taken away.
func uncommented() []byte {
	return regexp.MustCompile(`(?m)^# `).ReplaceAll(Template(), nil)
}

func TestTheTemplateIsAllComments(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(string(Template())) {
		assert.True(t, line == "\n" || strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "## ") || line == "##\n", line)
		assert.LessOrEqual(t, len(line), 121, line)
		assert.Equal(t, strings.TrimRight(line, " \n"), strings.TrimSuffix(line, "\n"))
	}
	s, diags := Parse(file, Template())
	require.Empty(t, diags)
	assert.Equal(t, Default(), withoutPlaces(s))
}

func TestTheTemplateUncommentedEqualsTheDefaults(t *testing.T) {
	t.Parallel()
	s, diags := Parse(file, uncommented())
	require.Empty(t, diags)
	assert.True(t, s.Given("cache.secret-key-secret"), "the test must uncomment something")
	assert.Equal(t, Default(), withoutPlaces(s))
	instance, err := toJSON(uncommented())
	require.NoError(t, err)
	assert.NoError(t, compile(t, Schema()).Validate(instance))
}

func TestTheTemplateShowsEveryKeyOfTheSchema(t *testing.T) {
	t.Parallel()
	s, diags := Parse(file, uncommented())
	require.Empty(t, diags)
	for path := range schemaProperties(t, Schema()) {
		key := path[strings.LastIndexByte(path, '.')+1:]
		if strings.HasPrefix(path, "pins.") || strings.HasPrefix(path, "shards.") {
			assert.Regexp(t, `(?m)^##? .*\b`+regexp.QuoteMeta(key)+`:`, string(Template()), "%s has no default that could be shown", path)
			continue
		}
		assert.True(t, s.Given(path), path)
	}
}
