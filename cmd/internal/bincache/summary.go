package bincache

import (
	"encoding/json"
	"html"
	"strings"
	"unicode"
)

const maxSummary = 200 // characters

// plainText returns what the body of an error page says: the message of a JSON object, or the text without tags,
// scripts and styles. It may still hold anything a server can send; oneLine makes it fit to print.
func plainText(body []byte) string {
	text := strings.ToValidUTF8(string(body), "\uFFFD")
	var object struct {
		Error   any    `json:"error"`
		Message string `json:"message"`
		Detail  string `json:"detail"`
		Title   string `json:"title"`
	}
	if json.Unmarshal(body, &object) == nil {
		reason, _ := object.Error.(string)
		for _, s := range []string{object.Message, object.Detail, reason, object.Title} {
			if s != "" {
				return s
			}
		}
	}
	if looksLikeMarkup(text) {
		text = html.UnescapeString(withoutTags(text))
	}
	return text
}

func looksLikeMarkup(text string) bool {
	return strings.HasPrefix(strings.TrimLeft(text, "\uFEFF \t\r\n"), "<")
}

// withoutTags drops tags, comments and all that stands inside script and style elements.
func withoutTags(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "<")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte(' ')
		end := ">"
		for _, hidden := range []struct{ start, end string }{{"!--", "-->"}, {"script", "</script"}, {"style", "</style"}} {
			if len(rest) >= len(hidden.start) && strings.EqualFold(rest[:len(hidden.start)], hidden.start) {
				end = hidden.end
			}
		}
		at := indexFold(rest, end)
		if at < 0 {
			return b.String()
		}
		text = rest[at+len(end):]
		if strings.HasPrefix(end, "</") {
			text = "<" + text
		}
	}
}

// indexFold is strings.Index without regard to the case of ASCII letters; needle is in lower case.
func indexFold(s, needle string) int {
	for i := 0; i+len(needle) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(needle)], needle) {
			return i
		}
	}
	return -1
}

// oneLine joins the words of a text, hides what is not printable, and cuts it off at maxSummary characters.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	var b strings.Builder
	count := 0
	for _, r := range text {
		if count == maxSummary {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) {
			r = '\uFFFD'
		}
		b.WriteRune(r)
		count++
	}
	return b.String()
}
