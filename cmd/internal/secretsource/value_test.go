package secretsource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func TestValueNeverPrintsItself(t *testing.T) {
	t.Parallel()
	const text = "hunter2-hunter2"
	value := NewValue(text)
	inside := struct {
		Open   Value
		closed Value
		list   []Value
		table  map[string]Value
	}{value, value, []Value{value}, map[string]Value{"k": value}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%t"} {
		for name, thing := range map[string]any{"value": value, "pointer": &value, "struct": inside, "pointer to struct": &inside} {
			shown := fmt.Sprintf(verb, thing)
			assert.NotContains(t, shown, "hunter2", "%s of a %s", verb, name)
			assert.NotContains(t, shown, fmt.Sprintf("%x", "hunter2"), "%s of a %s", verb, name)
		}
	}
	encoded, err := json.Marshal(inside)
	require.NoError(t, err)
	assert.JSONEq(t, `{"Open":"[secret]"}`, string(encoded))
	encoded, err = yaml.Marshal(map[string]Value{"k": value})
	require.NoError(t, err)
	assert.NotContains(t, string(encoded), "hunter2")
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("said", "value", value, "struct", inside)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("said", "value", value, "struct", inside)
	assert.NotContains(t, log.String(), "hunter2")
	assert.Equal(t, "[secret]", value.String())
	assert.Equal(t, text, value.Reveal())
}

func TestAnEmptyTextIsNoSecret(t *testing.T) {
	t.Parallel()
	assert.True(t, NewValue("").Empty())
	assert.True(t, Value{}.Empty())
	assert.Empty(t, Value{}.Reveal())
	assert.False(t, NewValue(" ").Empty())
}
