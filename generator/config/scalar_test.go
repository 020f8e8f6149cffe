package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"garnix2gha/generator/config"
)

func TestScalarsAreTypedAsYAML11(t *testing.T) {
	t.Parallel()
	const null, boolean, number, text = "null", "the boolean", "the number", ""
	tests := map[string]string{
		"": null, "~": null, "null": null, "Null": null, "NULL": null, "nUll": text,
		"y": boolean, "Y": boolean, "yes": boolean, "Yes": boolean, "YES": boolean, "yEs": text,
		"on": boolean, "On": boolean, "ON": boolean, "true": boolean, "True": boolean, "TRUE": boolean, "tRUE": text,
		"n": boolean, "N": boolean, "no": boolean, "No": boolean, "off": boolean, "OFF": boolean, "False": boolean, "nO": text,
		"5": number, "-5": number, "+5": number, "007": number, "25.11": number, "1.": number, "1e5": number, "1E+5": number,
		"1.5e-3": number, "0x1F": number, "0xfF": number, "0o17": number,
		".5": text, "1e": text, "1e+": text, "1.e": text, "1.2.3": text, "1_000": text, "0x": text, "0xg": text, "-0x1": text,
		"0X1F": text, "0o8": text, "0o": text, "1 2": text, "2020-01-01": text, "12:30": text, ".inf": text, ".nan": text, "+": text,
		"!!str 5": text, "!!str": text, "!!int 5": number, "!!bool x": text, "!x 5": number, "! 5": number, "!!str on": text,
		"'5'": text, `"on"`: text, "''": text, "!!int '5'": text,
		">-\n  5": text, "|-\n  5": number, "|-\n  on": boolean, "|\n  on": text, "|\n": null, ">\n": text,
		"!<tag:yaml.org,2002:str> 5": text,
	}
	for written, want := range tests {
		t.Run(written, func(t *testing.T) {
			t.Parallel()
			c, diags := config.Parse("garnix.yaml", []byte("flakeDir: "+written+"\n"))
			if want == text {
				assert.NotNil(t, c, "%v", diags)
				return
			}
			assert.Nil(t, c)
			if assert.Len(t, diags, 1) {
				assert.Contains(t, diags[0].Message, want)
			}
		})
	}
}

func TestBooleansKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]bool{"y": true, "Yes": true, "on": true, "TRUE": true, "n": false, "NO": false, "Off": false, "false": false} {
		c, _ := parse(t, "fodChecks: "+written+"\n")
		assert.Equal(t, want, c.FODChecks, written)
	}
}
