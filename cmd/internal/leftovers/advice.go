// What to do about each line that names garnix.

package leftovers

import (
	"fmt"
	"slices"
	"strings"
)

// Where garnix2gha reads its configuration.
const (
	rootConfig  = "garnix.yaml"
	movedConfig = ".github/garnix2gha/garnix.yaml"
)

const (
	ownAdvice    = "stays: garnix2gha wrote it, or reads it"
	knownAdvice  = "stays: it names garnix2gha, the new cache or a garnix.yaml that is there"
	recordAdvice = "stays: a licence, a copyright notice or a changelog tells what was"
	markedAdvice = `stays: marked "` + keepMark + `"`
	checkAdvice  = "stays: the generated workflow reports a check of this name"
)

const actionsApp = "15368" // the id of GitHub Actions. Source: https://api.github.com/apps/github-actions.

// The expressions are for lowered text.
var (
	schemaText  = lazily(`garnix\.io/\S*schema|yaml-language-server.*garnix|\$schema.*garnix`)
	netrcText   = lazily(`\bmachine\s+["']?cache\.garnix\.io`)
	licenceText = lazily(`licen[cs]e.*garnix-io/|garnix-io/.*licen[cs]e`)
	creditText  = lazily(`\bcopyright\b|\bspdx-`)
	inputText   = lazily(`\bgarnix-io/|\binputs\.[\w'-]*garnix|\bgarnix-(?:lib|modules|incrementalize)\b|(?:github|git\+https?|git\+ssh):[^"]*garnix`)
	outputText  = lazily(`\bgarnix(?:\.config\b|\s*=\s*(?:rec\s*)?\{\s*config\b)`)
	checkLine   = lazily(`wait|check|status|\bapp\b|slug|context|conclusion|garnix[ -]ci`)
	appText     = lazily(`\bgarnix-ci\b|(?:integration_?id|app_?id)["']?\s*[:=]\s*["']?(\d+)`)
)

// traces returns one trace for each line that names garnix, and one for all lines of KindOther.
func (d *document) traces() []Trace {
	var out []Trace
	other := -1
	for i, line := range d.lines {
		at, known := d.mention(line)
		if at < 0 && !known {
			continue
		}
		t := d.trace(i, at)
		switch {
		case t.Kind != KindOther || t.Fix != Manual:
			out = append(out, t)
		case other < 0:
			other = len(out)
			t.Lines = []int{t.Line}
			out = append(out, t)
		default:
			out[other].Lines = append(out[other].Lines, t.Line)
		}
	}
	if other >= 0 {
		if more := out[other].Lines[1:]; len(more) > 0 {
			numbers := strings.Trim(strings.ReplaceAll(fmt.Sprint(more), " ", ", "), "[]")
			out[other].Advice += fmt.Sprintf(" (also on line %s)", numbers)
		}
	}
	return out
}

// trace judges a line, in which at is the offset of the first mention, -1 where all of it may stay.
func (d *document) trace(i, at int) Trace {
	line := d.lines[i]
	if at < 0 || d.class == classOwn {
		t := Trace{Pos: d.pos(i, max(at, strings.Index(lowered(line), "garnix"))), Kind: KindOwn, Fix: Kept, Advice: knownAdvice}
		if d.class == classOwn {
			t.Advice = ownAdvice
		}
		return t
	}
	t := Trace{Pos: d.pos(i, at), Fix: Manual}
	t.Kind, t.Advice = d.advice(i)
	switch {
	case strings.Contains(line, keepMark):
		t.Fix, t.Advice = Kept, markedAdvice
	case d.fixed[i] == "":
		t.Fix, t.Advice = Safe, "remove the line"
	case d.fixed[i] != line:
		t.Fix, t.Advice = Safe, "put the new cache in its place"
		if t.Kind == KindBadge {
			t.Advice = "remove the badge"
		}
		if rest, _ := d.mention(d.fixed[i]); rest >= 0 {
			t.Fix, t.Advice = Partly, t.Advice+"; what else names garnix on this line is to be changed by hand"
		}
	case d.class == classRecord, d.class == classProse && licenceText().MatchString(lowered(line)), creditText().MatchString(lowered(line)):
		t.Kind, t.Fix, t.Advice = KindOwn, Kept, recordAdvice
	case t.Advice == checkAdvice:
		t.Fix = Kept
	}
	return t
}

// advice says of what kind a line is, and what to do about it where no edit clears it.
func (d *document) advice(i int) (Kind, string) {
	line := d.lines[i]
	low := lowered(line)
	switch found := literals(line); {
	case schemaText().MatchString(low):
		return KindSchema, `remove it: the schema is no longer served; "garnix2gha schema garnix" prints our own`
	case d.class == classConfig:
		return KindConfigFile, "goes with the file"
	case d.class == classLock:
		return KindFlakeInput, `goes when the input is removed from flake.nix and "nix flake lock" has run`
	case len(found) > 0 && found[0].kind == literalURL:
		return KindSubstituter, d.literalAdvice(found[0].kind)
	case len(found) > 0:
		return KindKey, d.literalAdvice(found[0].kind)
	case d.class != classProse && isComment(line):
		return KindOther, "look at the comment, and remove or reword it"
	case d.place != "" && (checkLine().MatchString(low) || d.checkName(line) >= 0):
		return d.place, d.checkAdvice(i)
	case badgeText().MatchString(low):
		return KindBadge, "remove the badge"
	case netrcText().MatchString(low):
		return KindNetrc, "remove the credentials, and revoke them if they still work anywhere"
	case strings.Contains(low, cacheHost) || strings.Contains(line, keyStart):
		return KindHost, "name the new cache here, or remove it"
	case d.class == classNix && outputText().MatchString(low):
		return KindConfigOutput, "remove the output garnix.config when the new cache is proven"
	case d.class == classNix && inputText().MatchString(low):
		return KindFlakeInput, `remove the input and what uses it, then run "nix flake lock"`
	case d.class == classProse:
		return KindProse, "reword or remove it"
	case strings.Contains(low, "garnix-io/"):
		return KindProgram, "remove it: the service that it talks to is gone"
	}
	return KindOther, "look at it, and remove or reword the mention"
}

// literalAdvice is for a line in which a literal cannot be swapped or removed.
func (d *document) literalAdvice(kind literalKind) string {
	if len(d.opts.Replacement.successors(kind)) == 0 {
		return "remove it by hand, and the setting with it if that would be empty; with a new cache --fix swaps it"
	}
	return "put the new cache in its place by hand, or remove it where that is there already"
}

// checkAdvice is for a line that names a check of garnix.
func (d *document) checkAdvice(i int) string {
	name, bound := d.opts.Aggregate, d.bound(i)
	if rest := strings.ReplaceAll(d.lines[i], name, ""); name != "" && rest != d.lines[i] && !bound {
		if at, _ := d.mention(rest); at < 0 && d.opts.Generated {
			return checkAdvice
		} else if at < 0 {
			return `may stay once "garnix2gha generate" has written the workflow, which reports a check of this name`
		}
	}
	check := fmt.Sprintf("the generated workflow's check %q", name)
	switch {
	case d.place == KindCheckWait:
		return "wait for " + check + ", which the app github-actions reports"
	case d.place == KindAutomerge:
		return "name " + check + " in its place"
	case bound:
		check += ", bound to the app " + actionsApp + " (GitHub Actions)"
	}
	return "require " + check + `, and none of garnix's; "garnix2gha required-check" does so on GitHub`
}

// bound reports whether a rule is for another app than GitHub Actions: on the line, or beside it as in JSON and HCL.
func (d *document) bound(i int) bool {
	near := lowered(strings.Join(d.lines[max(0, i-1):min(len(d.lines), i+2)], ""))
	return slices.ContainsFunc(appText().FindAllStringSubmatch(near, -1), func(m []string) bool { return m[1] != actionsApp })
}

// configAdvice is for garnix.yaml and what only looks like it.
func configAdvice(name string) string {
	switch {
	case name == rootConfig:
		return `keep it until the new cache is proven; "garnix2gha retire --move-config" then takes it out of the root`
	case strings.Contains(name, "/"):
		return "remove it: garnix read only the garnix.yaml at the root"
	}
	return "remove it: garnix never read this name"
}
