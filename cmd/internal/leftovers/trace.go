// Package leftovers finds what is left of garnix in the tracked files of a repository and mends what can be mended
// without judgement.
//
// Scan says where garnix is named and what to do; Fix computes new contents for the safe part. Neither writes.
package leftovers

import (
	"cmp"
	"slices"

	"garnix2gha/generator/diag"
)

// Kind says what sort of trace a line is.
type Kind string

// The kinds, in the order in which Summary lists them.
const (
	KindConfigFile        Kind = "config-file"        // garnix.yaml, garnix.yml and the lines in them
	KindConfigOutput      Kind = "config-output"      // the flake output garnix.config
	KindFlakeSubstituter  Kind = "flake-substituter"  // nixConfig of a flake
	KindFlakeKey          Kind = "flake-key"          // nixConfig of a flake
	KindModuleSubstituter Kind = "module-substituter" // NixOS, nix-darwin and home-manager modules
	KindModuleKey         Kind = "module-key"         // NixOS, nix-darwin and home-manager modules
	KindNixConf           Kind = "nix-conf"           // a line in nix.conf form, wherever it stands
	KindNetrc             Kind = "netrc"              // credentials for the cache
	KindStep              Kind = "step"               // a shell or CI step that names the cache or garnix's tools
	KindBadge             Kind = "badge"
	KindProse             Kind = "prose"
	KindCheckWait         Kind = "check-wait" // a workflow or script that waits for garnix's checks
	KindFlakeInput        Kind = "flake-input"
	KindSchema            Kind = "schema" // the schema of garnix.yaml, for editors
	KindProtection        Kind = "branch-protection"
	KindAutomerge         Kind = "automerge"
	KindFileName          Kind = "file-name" // a file or folder called after garnix; Line is 0
	KindOther             Kind = "other"
	KindSkipped           Kind = "skipped" // a file over MaxFileBytes, not searched; Line is 0
	KindOwn               Kind = "own"     // what garnix2gha itself wrote, or its name
)

// Kinds returns every kind in order.
func Kinds() []Kind {
	return []Kind{
		KindConfigFile, KindConfigOutput, KindFlakeSubstituter, KindFlakeKey, KindModuleSubstituter, KindModuleKey,
		KindNixConf, KindNetrc, KindStep, KindBadge, KindProse, KindCheckWait, KindFlakeInput, KindSchema,
		KindProtection, KindAutomerge, KindFileName, KindOther, KindSkipped, KindOwn,
	}
}

// Remedy says who mends a trace.
type Remedy string

// The remedies. Safe: Fix clears the line. Partly: Fix changes the line and a mention stays. Manual: Fix leaves the
// line alone. Kept: nothing is to be done, the mention may stay.
const (
	Safe   Remedy = "safe"
	Partly Remedy = "partly"
	Manual Remedy = "manual"
	Kept   Remedy = "kept"
)

// Trace is one line that names garnix, or one path (Line 0). Text is the line without control characters and
// credentials, shortened around the mention. Mend is what to do, in lower case without a full stop; Command is the
// shell command for it and may be empty.
type Trace struct {
	diag.Pos
	Kind    Kind   `json:"kind"`
	Text    string `json:"text"`
	Mend    string `json:"mend"`
	Fix     Remedy `json:"fix"`
	Command string `json:"command"`
}

// Counted reports whether the trace is something left to do: neither kept nor a file that was not searched.
func (t Trace) Counted() bool { return t.Fix != Kept && t.Kind != KindSkipped }

// ByHand reports whether a mention stays after Fix that a person has to see to.
func (t Trace) ByHand() bool { return t.Counted() && t.Fix != Safe }

// Count is one line of a summary. Total = Safe + Partly + Manual + Kept.
type Count struct {
	Kind   Kind `json:"kind"`
	Total  int  `json:"total"`
	Safe   int  `json:"safe"`
	Partly int  `json:"partly"`
	Manual int  `json:"manual"`
	Kept   int  `json:"kept"`
}

// Summary counts the traces by kind, in the order of Kinds, without the kinds that do not occur.
func Summary(traces []Trace) []Count {
	byKind := map[Kind]Count{}
	for _, t := range traces {
		c := byKind[t.Kind]
		c.Kind = t.Kind
		c.Total++
		switch t.Fix {
		case Safe:
			c.Safe++
		case Partly:
			c.Partly++
		case Kept:
			c.Kept++
		default:
			c.Manual++
		}
		byKind[t.Kind] = c
	}
	var out []Count
	for _, k := range Kinds() {
		if c, ok := byKind[k]; ok {
			out = append(out, c)
		}
	}
	return out
}

func sorted(traces []Trace) []Trace {
	slices.SortStableFunc(traces, func(a, b Trace) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Kind, b.Kind),
		)
	})
	return traces
}
