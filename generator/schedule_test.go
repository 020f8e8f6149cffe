package generator_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator"
	"garnix2gha/generator/diag"
	"garnix2gha/templates"
)

// Whether GitHub takes a cron expression the linter knows; the settings are where it is written.
func TestASchedulesFaultStandsInTheSettings(t *testing.T) {
	t.Parallel()
	for schedule, says := range map[string]string{
		"60 4 * * *": "60", "0 9-5 * * *": "9-5", "0 9- * * *": "9-", "0 */0 * * *": "step", "0 0 0 * *": "below", "0 0 * * 7": "7",
		"*/4 * * * *": "5 minutes", "*/5 * * * *": "", "0 0 * jan-DEC sun,1-5/2": "",
	} {
		result, err := generator.Generate(generator.Input{
			Config:    generator.Source{Path: "garnix.yaml"},
			Settings:  generator.Source{Path: "config.yaml", Content: []byte("statuses: true\nschedule: \"" + schedule + "\"\n")},
			Templates: templates.FS,
		})
		require.NoError(t, err)
		if says == "" {
			assert.Empty(t, result.Diags, schedule)
			continue
		}
		require.Len(t, result.Diags, 1, schedule)
		assert.Equal(t, diag.Pos{File: "config.yaml", Line: 2, Column: 11}, result.Diags[0].Pos)
		assert.Equal(t, "bad-schedule", result.Diags[0].Code)
		assert.Contains(t, result.Diags[0].Message, says)
		assert.Empty(t, result.Files)
	}
}
