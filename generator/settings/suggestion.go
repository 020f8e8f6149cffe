package settings

import "strings"

// nearest returns the known word that a misspelt one most likely means, or "".
func nearest(word string, known []string) string {
	const longest = 64 // no setting is near a word of more bytes
	if len(word) > longest {
		return ""
	}
	best, least := "", 2+len(word)/4
	for _, candidate := range known {
		if plain(word) == plain(candidate) {
			return candidate
		}
		if d := distance(plain(word), plain(candidate)); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// plain removes what tells pushRefs, push_refs and push-refs apart.
func plain(word string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(word))
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
