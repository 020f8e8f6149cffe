// Package leftovers finds what is left of garnix in the tracked files of a repository, and what the files look like
// once everything is fixed that needs no judgement: garnix's URL and key give way to the new cache's wherever they
// stand as literals, and lines that hold nothing else go. It reads and never writes.
package leftovers

import (
	"garnix2gha/generator/diag"
)

// Kind says what sort of trace a line is.
type Kind string

// The kinds.
const (
	KindConfigFile   Kind = "config-file"   // garnix.yaml, other spellings of it, and the lines in them
	KindConfigOutput Kind = "config-output" // the flake output garnix.config
	KindSubstituter  Kind = "substituter"   // the cache's URL
	KindKey          Kind = "key"           // the cache's public key, with its name or without
	KindHost         Kind = "cache-host"    // the cache in any other form
	KindNetrc        Kind = "netrc"         // credentials for the cache
	KindBadge        Kind = "badge"
	KindProse        Kind = "prose"
	KindCheckWait    Kind = "check-wait" // a workflow or script that waits for garnix's checks
	KindProtection   Kind = "branch-protection"
	KindAutomerge    Kind = "automerge"
	KindProgram      Kind = "program" // garnix's actions and programs, outside of Nix
	KindFlakeInput   Kind = "flake-input"
	KindSchema       Kind = "schema"    // the schema of garnix.yaml, for editors
	KindFileName     Kind = "file-name" // a file or folder called after garnix; Line is 0
	KindOther        Kind = "other"     // one trace for all such lines of a file
	KindSkipped      Kind = "skipped"   // a file over maxFileBytes, not searched; Line is 0
	KindOwn          Kind = "own"       // what garnix2gha itself wrote or is named by, the new cache, licences, changelogs
)

// Remedy says who fixes a trace.
type Remedy string

// The remedies. Safe: the edits clear the line. Partly: they change the line and a mention stays. Manual: they leave the
// line alone. Kept: nothing is to be done, the mention may stay.
const (
	Safe   Remedy = "safe"
	Partly Remedy = "partly"
	Manual Remedy = "manual"
	Kept   Remedy = "kept"
)

// Trace is one line that names garnix, or one path (Line 0), or all lines of a file of KindOther, which Lines then lists.
// Advice is what to do, in lower case without a full stop.
type Trace struct {
	diag.Pos
	Kind   Kind   `json:"kind"`
	Fix    Remedy `json:"fix"`
	Advice string `json:"advice"`
	Lines  []int  `json:"lines,omitempty"`
}

// Counted reports whether the trace is something left to do: neither kept nor a file that was not searched.
func (t Trace) Counted() bool { return t.Fix != Kept && t.Kind != KindSkipped }

// ByHand reports whether a mention stays after the edits that a person has to see to.
func (t Trace) ByHand() bool { return t.Counted() && t.Fix != Safe }
