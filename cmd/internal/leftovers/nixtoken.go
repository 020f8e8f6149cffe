package leftovers

import "strings"

// nixTokenKind is as fine as finding list elements needs.
type nixTokenKind byte

const (
	nixPunct   nixTokenKind = iota
	nixWord                 // identifiers, keywords and paths
	nixString               // "..." and ''...''
	nixURI                  // a URI without quotes
	nixComment              // without the line break
)

// nixToken is a stretch of Nix text. A string has its content in inLo:inHi; opaque means that something is
// interpolated into it. bind is the binding whose name or value the token belongs to.
type nixToken struct {
	kind       nixTokenKind
	lo, hi     int
	inLo, inHi int
	opaque     bool
	bind       *nixBinding
}

// nixLexer reads Nix text. Source of the lexical rules: nix's src/libexpr/lexer.l.
type nixLexer struct {
	src              string
	noPath, noScheme int // up to these offsets no path, no URI begins: keeps a long run of dots linear
}

// next returns the token at or after i; ok is false at the end and where the text is no Nix.
func (x *nixLexer) next(i int) (t nixToken, ok bool) {
	for i < len(x.src) && strings.IndexByte(" \t\r\n", x.src[i]) >= 0 {
		i++
	}
	if i == len(x.src) {
		return nixToken{lo: i, hi: i}, false
	}
	if end := x.comment(i); end != i {
		return nixToken{kind: nixComment, lo: i, hi: end}, end >= 0
	}
	if quote := x.quote(i); quote > 0 {
		end, opaque := x.stringEnd(i)
		return nixToken{kind: nixString, lo: i, hi: end, inLo: i + quote, inHi: end - quote, opaque: opaque}, end > 0
	}
	if kind, end := x.word(i); end > i {
		return nixToken{kind: kind, lo: i, hi: end, inLo: i, inHi: end}, true
	}
	for _, op := range []string{"${", "==", "!=", "<=", ">="} {
		if strings.HasPrefix(x.src[i:], op) {
			return nixToken{lo: i, hi: i + len(op)}, true
		}
	}
	return nixToken{lo: i, hi: i + 1}, true
}

// comment returns the end of the comment at i, i if there is none, -1 if it does not end.
func (x *nixLexer) comment(i int) int {
	switch rest := x.src[i:]; {
	case rest[0] == '#':
		if n := strings.IndexAny(rest, "\r\n"); n >= 0 {
			return i + n
		}
		return len(x.src)
	case strings.HasPrefix(rest, "/*"):
		n := strings.Index(rest[2:], "*/")
		if n < 0 {
			return -1
		}
		return i + 2 + n + 2
	}
	return i
}

// quote returns the length of the string quote at i, 0 if there is none.
func (x *nixLexer) quote(i int) int {
	switch {
	case x.src[i] == '"':
		return 1
	case strings.HasPrefix(x.src[i:], "''"):
		return 2
	}
	return 0
}

// stringEnd returns the end of the string that begins at i, 0 if it does not end, and whether it interpolates.
// It keeps a stack of its own: an input may nest as deeply as it likes.
func (x *nixLexer) stringEnd(i int) (end int, opaque bool) {
	const plain, indented, code, brace = '"', '\'', '$', '{'
	open := func(i int) byte {
		if x.quote(i) == 1 {
			return plain
		}
		return indented
	}
	stack := []byte{open(i)}
	i += x.quote(i)
	for i < len(x.src) {
		rest := x.src[i:]
		switch mode := stack[len(stack)-1]; {
		case mode != code && mode != brace && strings.HasPrefix(rest, "${"):
			stack, opaque = append(stack, code), true
			i += 2
		case mode == plain:
			switch {
			case rest[0] == '"':
				stack = stack[:len(stack)-1]
				i++
			case rest[0] == '\\', rest[0] == '$' && len(rest) > 1 && rest[1] == '$':
				i += 2
			default:
				i++
			}
		case mode == indented:
			switch {
			case strings.HasPrefix(rest, `''\`):
				i += 4
			case strings.HasPrefix(rest, "''$"), strings.HasPrefix(rest, "'''"):
				i += 3
			case strings.HasPrefix(rest, "''"):
				stack = stack[:len(stack)-1]
				i += 2
			case strings.HasPrefix(rest, "$$"):
				i += 2
			default:
				i++
			}
		default:
			end := x.comment(i)
			if end < 0 {
				return 0, opaque
			}
			if end == i {
				_, end = x.word(i)
			}
			switch {
			case end > i:
				i = end
			case x.quote(i) > 0:
				stack = append(stack, open(i))
				i += x.quote(i)
			case rest[0] == '{':
				stack = append(stack, brace)
				i++
			case rest[0] == '}':
				stack = stack[:len(stack)-1]
				i++
			default:
				i++
			}
		}
		if len(stack) == 0 {
			return i, opaque
		}
	}
	return 0, opaque
}

// word returns the identifier, path or URI at i; end is i if there is none. The longest wins, as in nix.
func (x *nixLexer) word(i int) (kind nixTokenKind, end int) {
	c := x.src[i]
	kind, end = nixWord, i
	if isNixLetter(c) {
		for end < len(x.src) && (isNixLetter(x.src[end]) || isDigit(x.src[end]) || x.src[end] == '\'' || x.src[end] == '-') {
			end++
		}
	}
	if p := x.path(i); p > end {
		end = p
	}
	if c != '_' && isNixLetter(c) {
		if u := x.uri(i); u > end {
			return nixURI, u
		}
	}
	return kind, end
}

func (x *nixLexer) path(i int) int {
	if i < x.noPath {
		return i
	}
	end := i
	if x.src[i] == '~' {
		end++
	} else {
		for end < len(x.src) && isPathChar(x.src[end]) {
			end++
		}
	}
	found := false
	for end+1 < len(x.src) && x.src[end] == '/' && isPathChar(x.src[end+1]) {
		found = true
		for end++; end < len(x.src) && isPathChar(x.src[end]); end++ {
		}
	}
	if !found {
		x.noPath = end
		return i
	}
	return end
}

func (x *nixLexer) uri(i int) int {
	if i < x.noScheme {
		return i
	}
	end := i
	for end < len(x.src) && (isNixLetter(x.src[end]) && x.src[end] != '_' || isDigit(x.src[end]) || strings.IndexByte("+-.", x.src[end]) >= 0) {
		end++
	}
	rest := end + 1
	for rest < len(x.src) && (isNixLetter(x.src[rest]) || isDigit(x.src[rest]) || strings.IndexByte("%/?:@&=+$,-.!~*'", x.src[rest]) >= 0) {
		rest++
	}
	if end == len(x.src) || x.src[end] != ':' || rest == end+1 {
		x.noScheme = end
		return i
	}
	return rest
}

func isNixLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
func isDigit(c byte) bool     { return c >= '0' && c <= '9' }
func isPathChar(c byte) bool {
	return isNixLetter(c) || isDigit(c) || c == '.' || c == '-' || c == '+'
}
