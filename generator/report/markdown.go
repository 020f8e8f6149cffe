package report

import (
	"fmt"
	"strings"

	"garnix2gha/generator/diag"
)

// Markdown renders the report for people. Whatever comes from the repository is escaped.
func (r Report) Markdown() string {
	var b strings.Builder
	b.WriteString("# From garnix to GitHub Actions\n\n")
	source := "No garnix.yaml: garnix's defaults"
	if r.Config != "" {
		source = "Read from " + code(r.Config)
	}
	fmt.Fprintf(&b, "%s. Strategy: %s", source, r.Strategy)
	switch {
	case r.Strategy == "static":
		fmt.Fprintf(&b, ", %d targets.\n\n", r.Targets)
	case len(r.Open) > 0:
		const most = 8
		var spans []string
		for _, text := range r.Open[:min(most, len(r.Open))] {
			spans = append(spans, code(text))
		}
		if more := len(r.Open) - most; more > 0 {
			spans = append(spans, fmt.Sprintf("%d more", more))
		}
		fmt.Fprintf(&b, ": every run lists what the flake has for %s", strings.Join(spans, ", "))
		if r.Targets > 0 {
			fmt.Fprintf(&b, ", besides what is named (%d)", r.Targets)
		}
		b.WriteString(".\n\n")
	default:
		b.WriteString(": the targets are listed when the workflow runs.\n\n")
	}
	r.verdict(&b)
	r.keys(&b)
	if len(r.Warnings) > 0 {
		b.WriteString("\n## Warnings\n\n")
		for _, d := range r.Warnings {
			fmt.Fprintf(&b, "- %s: %s", code(d.Pos.String()), escape(d.Message))
			if d.Hint != "" {
				fmt.Fprintf(&b, " (%s)", escape(d.Hint))
			}
			b.WriteByte('\n')
		}
	}
	b.WriteString("\n## What is different on GitHub\n\n")
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "- %s\n", escape(note))
	}
	if len(r.Checks) > 0 {
		b.WriteString("\n## Checks\n\n| garnix | now |\n| --- | --- |\n")
		for _, c := range r.Checks {
			now := code(c.New)
			if c.New == "" {
				now = "none"
			}
			fmt.Fprintf(&b, "| %s | %s |\n", code(c.Old), now)
		}
	}
	fmt.Fprintf(&b, "\n## Jobs\n\n```mermaid\n%s```\n", r.Mermaid)
	r.steps(&b)
	return b.String()
}

func (r Report) verdict(b *strings.Builder) {
	if r.Complete {
		b.WriteString("Every key is carried over as it was.\n")
		return
	}
	for _, part := range []struct {
		fate Fate
		text string
	}{
		{Lost, "lost"}, {Changed, "carried over with a difference"}, {Manual, "left for you"}, {Ignored, "ignored, as by garnix"},
	} {
		if keys := r.of(part.fate); len(keys) > 0 {
			names := make([]string, 0, len(keys))
			for _, key := range keys {
				names = append(names, code(key.Path))
			}
			fmt.Fprintf(b, "- **%s**: %s\n", part.text, strings.Join(names, ", "))
		}
	}
	if n := len(r.Warnings); n > 0 {
		fmt.Fprintf(b, "- **warnings**: %d, below\n", n)
	}
}

func (r Report) keys(b *strings.Builder) {
	b.WriteString("\n## Keys\n\n")
	if len(r.Keys) == 0 {
		b.WriteString("None: garnix's defaults hold.\n")
		return
	}
	b.WriteString("| key | line | fate | |\n| --- | --- | --- | --- |\n")
	for _, key := range r.Keys {
		line := ""
		if key.Line > 0 {
			line = fmt.Sprint(key.Line)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", code(key.Path), line, key.Fate, escape(key.Note))
	}
}

func (r Report) steps(b *strings.Builder) {
	if len(r.Steps) == 0 {
		return
	}
	b.WriteString("\n## Left to do\n\n")
	for _, step := range r.Steps {
		fmt.Fprintf(b, "- [ ] %s: %s\n", escape(step.Title), escape(step.Why))
		if len(step.Commands) == 0 {
			continue
		}
		b.WriteString("\n  ```sh\n")
		for _, command := range step.Commands {
			fmt.Fprintf(b, "  %s\n", strings.NewReplacer("\n", " ", "```", "'''").Replace(command))
		}
		b.WriteString("  ```\n\n")
	}
}

// escape makes text inert in Markdown and in a table.
func escape(s string) string {
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]",
	).Replace(diag.Printable(s))
}

// code shows text as it is, whatever it holds: as a code span, or as inert HTML where a span could not hold it.
func code(s string) string {
	s = diag.Printable(s)
	switch {
	case s == "":
		return ""
	case !strings.ContainsAny(s, "`|") && strings.TrimSpace(s) == s:
		return "`" + s + "`"
	}
	return "<code>" + strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;", "]", "&#93;", "\\", "&#92;",
	).Replace(s) + "</code>"
}
