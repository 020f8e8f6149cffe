// What a reply says to a person.

package restapi

import (
	"bytes"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"strings"

	"garnix2gha/generator/diag"
)

// maxMessage is how many characters of a server's message are shown.
const maxMessage = 300

var (
	invisibleHTML = regexp.MustCompile(`(?is)<!--.*?(-->|\z)|<(script|style)\b.*?(</(script|style)\b[^>]*>?|\z)`)
	htmlTag       = regexp.MustCompile(`(?s)<[^>]*(>|\z)`)
	jsonWebToken  = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*){1,2}`)
)

// Message is what a body says to a person: the message of a JSON error object, or plain text, or a web page's
// text. It is clean, on one line and short; "" if there is nothing.
func (c Caller) Message(body []byte) string {
	text := string(body)
	if fromJSON, ok := jsonMessage(body); ok {
		text = fromJSON
	} else if isPage(body) {
		text = html.UnescapeString(htmlTag.ReplaceAllString(invisibleHTML.ReplaceAllString(text, " "), " "))
	}
	return c.Clean(text)
}

// isPage reports whether a body is a web page or another document with tags.
func isPage(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, "\uFEFF \t\r\n"), []byte("<"))
}

// jsonMessage finds the message in the shapes that APIs and their gateways use.
func jsonMessage(body []byte) (string, bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return "", false
	}
	for _, name := range []string{"message", "error", "detail", "title"} {
		var text string
		if json.Unmarshal(fields[name], &text) == nil && text != "" {
			return text, true
		}
	}
	return "", true
}

// Clean makes foreign text printable: without a secret of the caller's or anything shaped like one, on one line, and
// short. Secrets go before the text is cut, lest half of one stay.
func (c Caller) Clean(text string) string {
	for _, known := range c.credentials() {
		_, encoded, _ := strings.Cut(known.header.Reveal(), " ")
		for _, secret := range []string{known.word.Reveal(), url.QueryEscape(known.word.Reveal()), encoded} {
			text = strings.ReplaceAll(text, secret, "[token]")
		}
	}
	return Clean(text)
}

// Clean is Caller.Clean where there is no token to look for.
func Clean(text string) string {
	words := strings.Join(strings.Fields(jsonWebToken.ReplaceAllString(text, "[token]")), " ")
	return diag.OneLine(diag.Printable(words), maxMessage)
}

// HoldsToken reports whether text holds something shaped like a JSON Web Token.
func HoldsToken(text string) bool { return jsonWebToken.MatchString(text) }
