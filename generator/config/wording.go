package config

import (
	"slices"
	"strconv"
	"strings"
)

// Excerpt quotes text for a message: control characters escaped, at most 80 characters.
func Excerpt(text string) string {
	return strconv.Quote(cut(text))
}

// cut shortens text to 80 characters.
func cut(text string) string {
	const limit = 80
	if len(text) <= limit {
		return text
	}
	n := 0
	for i := range text {
		if n == limit {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

// Nearest returns the candidate that a misspelled word most likely meant: within two edits (one for a word of up to
// three characters), ignoring case, the first of the nearest; "" if there is none.
func Nearest(word string, candidates []string) string {
	const tooLong = 100 // bytes; nobody misspells that, and comparing costs the square
	best, least := "", 3
	if len(word) <= 3 {
		least = 2
	}
	if len(word) > tooLong {
		return ""
	}
	lower := []rune(strings.ToLower(word))
	for _, candidate := range candidates {
		if len(candidate) > tooLong {
			continue
		}
		if d := distance(lower, []rune(strings.ToLower(candidate)), least); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements from a to b; a result of limit means limit or more.
func distance(a, b []rune, limit int) int {
	if max(len(a)-len(b), len(b)-len(a)) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := diagonal
			if x != y {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
		if slices.Min(row) >= limit {
			return limit
		}
	}
	return min(row[len(b)], limit)
}

// enumerate joins words as prose: "a", "a and b", "a, b and c".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
