package leftovers

import (
	"slices"
	"sort"
	"strings"
)

// nixBinding is one "name = value;". lo:hi are the tokens of the value; outer is the binding around it.
type nixBinding struct {
	names  []string
	outer  *nixBinding
	lo, hi int
}

// nixFrame is a bracket that is open, or a "let" before its "in", or a "with" or "assert" before its ";".
type nixFrame struct {
	kind    byte // one of { [ ( $, l for let, w for with and assert, 0 for the file
	list    *nixList
	inList  bool
	bind    *nixBinding // what is being defined; in { and let nil between definitions
	outer   *nixBinding
	pending []int // tokens since the last definition: the name of the next one
}

// nixList is a list literal that is a value, or part of one; open and close are its brackets' tokens, elements the
// tokens that stand in it directly, comments among them.
type nixList struct {
	bind        *nixBinding
	open, close int
	elements    []int
}

// nixFile is what is understood of a Nix file.
type nixFile struct {
	src     string
	tokens  []nixToken
	lists   []*nixList
	strings []int // string tokens that are the whole value of a binding
	ok      bool  // the brackets close and every definition ends
	stack   []*nixFrame
}

// parseNix splits Nix text into tokens and finds what each belongs to. It is no parser of the language: it follows
// brackets, definitions and the keywords that shift a semicolon's meaning.
func parseNix(src []byte) *nixFile {
	f := &nixFile{src: string(src), stack: []*nixFrame{{}}}
	x := &nixLexer{src: f.src}
	for i := 0; ; {
		t, ok := x.next(i)
		if !ok {
			f.ok = t.lo == len(f.src) && len(f.stack) == 1
			return f
		}
		i = t.hi
		if t.bind = f.top().bind; t.bind == nil {
			t.bind = f.top().outer
		}
		f.tokens = append(f.tokens, t)
		if f.top().list != nil {
			f.top().list.elements = append(f.top().list.elements, len(f.tokens)-1)
		}
		if t.kind != nixComment && !f.step(len(f.tokens)-1) {
			return f
		}
	}
}

func (f *nixFile) top() *nixFrame { return f.stack[len(f.stack)-1] }

func (f *nixFile) text(token int) string { return f.src[f.tokens[token].lo:f.tokens[token].hi] }

// step moves on by the token just read; false: the text is not understood.
func (f *nixFile) step(token int) bool {
	top, word := f.top(), f.text(token)
	defines := top.kind == '{' || top.kind == 'l'
	if f.tokens[token].kind == nixString || f.tokens[token].kind == nixURI {
		word = "" // a quoted bracket or keyword is none
	}
	switch word {
	case "{", "[", "(", "${", "with", "assert":
		if word == "{" && top.kind == 'l' && top.bind == nil {
			f.stack = f.stack[:len(f.stack)-1] // "let {" is an old form without "in"
		} else if defines && top.bind == nil {
			top.pending = append(top.pending, token)
		}
		f.push(word, token)
		return true
	case "let":
		f.push(word, token)
		return true
	case "}", "]", ")":
		return f.pop(word, token)
	case "in":
		f.stack = f.stack[:len(f.stack)-1]
		return top.kind == 'l' && top.bind == nil
	case "=":
		return f.define(token)
	case ";":
		if top.kind == 'w' {
			f.stack = f.stack[:len(f.stack)-1]
			return true
		}
		f.end(top, token)
		return defines
	}
	if defines && top.bind == nil {
		top.pending = append(top.pending, token)
	}
	return true
}

func (f *nixFile) push(word string, token int) {
	top := f.top()
	frame := &nixFrame{kind: word[0], outer: top.bind, bind: top.bind, inList: top.inList || top.kind == '['}
	switch word {
	case "{":
		frame.bind, frame.inList = nil, false
	case "let":
		frame.kind, frame.bind, frame.inList = 'l', nil, false
	case "with", "assert":
		frame.kind = 'w'
	case "[":
		frame.list = &nixList{bind: top.bind, open: token}
	}
	f.stack = append(f.stack, frame)
}

func (f *nixFile) pop(word string, token int) bool {
	top := f.top()
	closes := map[string]string{"}": "{$", "]": "[", ")": "("}[word]
	if top.kind == 0 || !strings.ContainsRune(closes, rune(top.kind)) || top.kind == '{' && top.bind != nil {
		return false
	}
	if top.list != nil {
		top.list.close = token
		top.list.elements = top.list.elements[:len(top.list.elements)-1]
		if top.list.bind != nil && !top.inList {
			f.lists = append(f.lists, top.list)
		}
	}
	f.stack = f.stack[:len(f.stack)-1]
	return true
}

// define begins a definition whose name is what was read since the last one.
func (f *nixFile) define(token int) bool {
	top := f.top()
	if top.kind != '{' && top.kind != 'l' || top.bind != nil {
		return false
	}
	top.bind = &nixBinding{outer: top.outer, lo: token + 1}
	for _, i := range top.pending {
		t := &f.tokens[i]
		t.bind = top.bind
		switch name := f.src[t.inLo:t.inHi]; {
		case t.kind == nixWord, t.kind == nixString && !t.opaque:
			top.bind.names = append(top.bind.names, name)
		case f.text(i) == "${":
			top.bind.names = append(top.bind.names, "${}")
		}
	}
	top.pending = nil
	return true
}

// end closes a definition at its semicolon, or forgets an "inherit".
func (f *nixFile) end(top *nixFrame, token int) {
	top.pending = nil
	b := top.bind
	if b == nil {
		return
	}
	b.hi = token
	top.bind = nil
	only := -1
	for i := b.lo; i < b.hi; i++ {
		if f.tokens[i].kind == nixComment {
			continue
		}
		if only >= 0 {
			return
		}
		only = i
	}
	if only >= 0 && f.tokens[only].kind == nixString && !f.tokens[only].opaque {
		f.strings = append(f.strings, only)
	}
}

// last returns the attribute that the binding defines.
func (b *nixBinding) last() string {
	if b == nil || len(b.names) == 0 {
		return ""
	}
	return b.names[len(b.names)-1]
}

// contextDepth bounds the attribute path that is looked at; files made to be slow nest deeper.
const contextDepth = 64

// path returns the attribute path of the binding from the outside in.
func (b *nixBinding) path() []string {
	var names []string
	for depth := 0; b != nil && depth < contextDepth; b, depth = b.outer, depth+1 {
		for _, name := range slices.Backward(b.names[:min(len(b.names), contextDepth)]) {
			names = append(names, name)
		}
	}
	slices.Reverse(names)
	return names
}

// context returns the attribute path at an offset, and whether a comment stands there.
func (f *nixFile) context(at int) (names []string, comment bool) {
	i := sort.Search(len(f.tokens), func(i int) bool { return f.tokens[i].hi > at })
	if i == len(f.tokens) || f.tokens[i].lo > at {
		return nil, false
	}
	return f.tokens[i].bind.path(), f.tokens[i].kind == nixComment
}
