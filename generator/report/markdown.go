package report

import (
	"cmp"
	"fmt"
	"strings"

	"garnix2gha/generator/diag"
)

// most bounds the bytes of each of the five sections: GitHub takes 65,536 characters as a pull request's body.
const most = 11_000

// Markdown renders the report as a pull request's body. Whatever comes from the repository is escaped.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# From garnix to GitHub Actions\n\n%s\n", escape(r.headline()))
	b.WriteString(r.review())
	section(&b, "Keys\n\n| key | line | fate | |\n| --- | --- | --- | --- |", r.Keys, func(key Key) string {
		line, path := "", code(key.Path)
		if key.Line > 0 {
			line = fmt.Sprint(key.Line)
		}
		if key.Count > 1 {
			path += fmt.Sprintf(" and %d more", key.Count-1)
		}
		return fmt.Sprintf("| %s | %s | %s | %s |", path, line, key.Fate, escape(key.Note))
	})
	section(&b, "Warnings\n", r.Warnings, func(d diag.Diagnostic) string {
		text := fmt.Sprintf("- %s: %s", code(d.Pos.String()), escape(d.Message))
		if d.Hint != "" {
			text += fmt.Sprintf(" (%s)", escape(d.Hint))
		}
		return text
	})
	section(&b, "What is different on GitHub\n", r.Notes, func(note string) string { return "- " + escape(note) })
	section(&b, "Checks\n\n| garnix | now |\n| --- | --- |", r.Checks, func(c Check) string {
		return fmt.Sprintf("| %s | %s |", code(c.Old), cmp.Or(code(c.New), "none"))
	})
	section(&b, "Left to do\n", r.Steps, func(step Step) string {
		text := fmt.Sprintf("- [ ] %s: %s", escape(step.Title), escape(step.Why))
		for _, command := range step.Commands {
			text += "; " + code(command)
		}
		return text
	})
	return b.String()
}

// review says what of the change is to be read, and what vouches for the rest.
func (r Report) review() string {
	if len(r.Files) == 0 {
		return ""
	}
	names := make([]string, len(r.Files))
	for i, file := range r.Files {
		names[i] = code(file)
	}
	return fmt.Sprintf("\nTo review: %s and `targets.json`. The programs in `.github/garnix2gha/ci` are the same in every repository: "+
		"`garnix2gha check --strict` of version %s, or a later one's `generate`, vouches for them.\n", strings.Join(names, ", "), code(r.Version))
}

// section writes a line an item under a head, as far as there is room.
func section[T any](b *strings.Builder, head string, items []T, line func(T) string) {
	room := most
	for i, item := range items {
		if i == 0 {
			fmt.Fprintf(b, "\n## %s\n", head)
		}
		text := line(item)
		if room -= len(text); room < 0 {
			fmt.Fprintf(b, "\n%d more: see `garnix2gha report --format json`.\n", len(items)-i)
			return
		}
		b.WriteString(text + "\n")
	}
}

// headline says in a few sentences what was read and how it went.
func (r Report) headline() string {
	text := "No garnix.yaml, so garnix's defaults hold."
	if r.Config != "" {
		text = "Read from " + r.Config + "."
	}
	if len(r.Default) > 0 {
		text += " Where no include is given, garnix's default holds"
		if len(r.Open) == 0 { // which would name it
			text += ": " + strings.Join(r.Default, ", ")
		}
		text += "."
	}
	text += fmt.Sprintf(" Strategy %s: ", r.Strategy)
	switch few := r.Open[:min(8, len(r.Open))]; {
	case r.Strategy == "static":
		text += fmt.Sprintf("the targets are listed, %d in all.", r.Targets)
	case len(few) > 0:
		text += fmt.Sprintf("every run lists what the flake has for %s", strings.Join(few, ", "))
		if more := len(r.Open) - len(few); more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		if r.Targets > 0 {
			text += fmt.Sprintf(", besides what is named (%d)", r.Targets)
		}
		text += "."
	default:
		text += "every run lists the targets."
	}
	if r.Complete {
		text += " Every key is carried over as it was."
	}
	return text
}

// Summary tells the same in at most 25 lines of a terminal.
func (r Report) Summary() string {
	lines := []string{r.headline()}
	for _, part := range []struct {
		fate Fate
		text string
	}{
		{Lost, "lost"}, {Changed, "with a difference"}, {Manual, "left for you"}, {Ignored, "ignored, as by garnix"},
	} {
		var names []string
		for _, key := range r.Keys {
			if key.Fate == part.fate {
				names = append(names, fmt.Sprintf("%s (%s)", key.Path, key.Note))
			}
		}
		if len(names) > 0 {
			lines = append(lines, diag.OneLine(part.text+": "+strings.Join(names, ", "), 160))
		}
	}
	if n := len(r.Warnings); n > 0 {
		lines = append(lines, fmt.Sprintf("warnings: %d, which garnix2gha targets shows", n))
	}
	for _, step := range r.Steps {
		lines = append(lines, "- "+step.Title)
		if len(step.Commands) > 0 {
			lines[len(lines)-1] += ": " + diag.OneLine(step.Commands[0], 160)
		}
	}
	return strings.Join(append(lines, "the whole report: garnix2gha report --format markdown"), "\n") + "\n"
}

// escape makes text inert in Markdown and in a table. A zero-width space keeps it from mentioning anybody, which a
// character reference would not: GitHub looks for mentions in what was rendered.
func escape(s string) string {
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "@", "@&#8203;",
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
