package diag

import (
	"io"
	"net/url"
	"slices"
	"strings"
)

// SARIF prints the list as a SARIF 2.1.0 log, as GitHub's code scanning reads it. Every finding needs a file there, and
// one of the repository. rule tells about a code: what it means in a sentence, and the whole of it.
func SARIF(w io.Writer, l List, version string, rule func(code string) (summary, help string)) error {
	levels := map[Severity]string{Error: "error", Warning: "warning", Notice: "note"}
	links := strings.NewReplacer("](", "] (") // foreign text must not make any
	var codes []string
	rules, results := []any{}, []any{}
	for _, d := range l {
		if !slices.Contains(codes, d.Code) {
			codes = append(codes, d.Code)
			summary, help := rule(d.Code)
			rules = append(rules, map[string]any{
				"id": d.Code, "shortDescription": text(summary), "fullDescription": text(summary), "help": text(help),
			})
		}
		place := map[string]any{"artifactLocation": map[string]any{"uri": (&url.URL{Path: d.File}).String()}}
		if d.Line > 0 {
			region := map[string]any{"startLine": d.Line}
			if d.Column > 0 {
				region["startColumn"] = d.Column
			}
			place["region"] = region
		}
		results = append(results, map[string]any{
			"ruleId": d.Code, "ruleIndex": slices.Index(codes, d.Code), "level": levels[d.Severity],
			"message":   text(links.Replace(d.paragraph())),
			"locations": []any{map[string]any{"physicalLocation": place}},
		})
	}
	return JSON(w, map[string]any{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json",
		"version": "2.1.0",
		"runs": []any{map[string]any{
			"tool":       map[string]any{"driver": map[string]any{"name": "garnix2gha", "version": version, "rules": rules}},
			"columnKind": "unicodeCodePoints",
			"results":    results,
		}},
	})
}

func text(s string) map[string]any { return map[string]any{"text": s} }
