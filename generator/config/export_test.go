package config

import "garnix2gha/generator/document"

// Drafted judges a file as Parse does, with the structure that diagnostics do not have.
func Drafted(src []byte) []Finding {
	root, _ := document.Read("garnix.yaml", src)
	d := &decoder{file: "garnix.yaml", budget: budgetOf(src)}
	c := defaults("garnix.yaml")
	d.config(c, place{key: root, node: root})
	return Findings(c.Sections, nil)
}
