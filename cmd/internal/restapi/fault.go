// What keeps a service from answering as hoped, and what it says about it.

package restapi

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"

	"garnix2gha/generator/diag"
)

// Fault is a request that was not granted. It holds no secret and is fit for a terminal.
type Fault struct {
	Party  string
	Status int    // 0 without an answer
	Detail string // what the server said, or why there is no answer; may be empty
	// Strange: something answered, but not as the service does. A proxy or a login page may be in between.
	Strange bool
	// Authorized is whether a credential was known for the party's host.
	Authorized bool
}

// Absent reports whether what was asked for is not there.
func (f *Fault) Absent() bool {
	return f.Status == http.StatusNotFound || f.Status == http.StatusGone
}

// Refused reports whether the credentials, or their absence, are what the party does not accept.
func (f *Fault) Refused() bool {
	return f.Status == http.StatusUnauthorized || f.Status == http.StatusForbidden || f.Status == http.StatusProxyAuthRequired
}

// Unavailable reports whether there was no answer of substance, even after waiting.
func (f *Fault) Unavailable() bool { return !f.Strange && (f.Status == 0 || busy(f.Status)) }

// Error is the cause in a sentence.
func (f *Fault) Error() string {
	text := f.Party
	switch {
	case f.Strange:
		text += " answers with something else than expected"
	case f.Absent():
		text += " has no such thing"
	case f.Status == http.StatusForbidden:
		text += " forbids it"
	case f.Refused() && f.Authorized:
		text += " refuses the credentials"
	case f.Refused():
		text += " wants credentials and none were given"
	case f.Status == 0:
		text += " gives no answer"
	case f.Unavailable():
		text += " cannot answer now"
	default:
		text += " does not accept the request"
	}
	if f.Status != 0 && f.Status != http.StatusOK {
		text += fmt.Sprintf(" (%d)", f.Status)
	}
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	return text
}

func (c Caller) fault(status int, strange bool, detail string) *Fault {
	authorized := false
	if base, err := url.Parse(c.BaseURL); err == nil {
		_, authorized = c.credential(base)
	}
	return &Fault{Party: c.Party, Status: status, Detail: c.Clean(detail), Strange: strange, Authorized: authorized}
}

// Misread is the fault of a success whose body is not what it should be, for a reason which is not shown of a web page.
func (c Caller) Misread(body []byte, reason string) *Fault {
	if isPage(body) {
		reason = "a web page (is there a proxy in between?): " + c.Message(body)
	}
	return c.fault(http.StatusOK, true, reason)
}

// permanent marks an answer that a second attempt would only repeat.
type permanent struct{ error }

// silence is the fault of an attempt without an answer that could be used.
func (c Caller) silence(err error) *Fault {
	_, answered := errors.AsType[permanent](err)
	return c.fault(0, answered, reason(err))
}

// worth is how many attempts there are in all where one failed so: one for an unknown name, a certificate that does not
// hold, or a server that does not speak TLS, and few where nobody listens, which a minute does not change.
func worth(err error) int {
	_, answered := errors.AsType[permanent](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	name, misnamed := errors.AsType[*net.DNSError](err)
	broken, ok := errors.AsType[*net.OpError](err)
	switch {
	case answered, untrusted, plain(err), misnamed && name.IsNotFound:
		return 1
	case ok && broken.Op == "dial" && !broken.Timeout():
		return maxDials
	}
	return maxAttempts
}

// plain reports whether a server behind https speaks plain http.
func plain(err error) bool {
	_, garbled := errors.AsType[tls.RecordHeaderError](err)
	return garbled || errors.Is(err, http.ErrSchemeMismatch)
}

// reason says in everyday words why there was no answer, without the address, which after a redirect may carry a signature.
func reason(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	name, misnamed := errors.AsType[*net.DNSError](err)
	broken, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	wait, waited := errors.AsType[net.Error](err)
	system, told := errors.AsType[syscall.Errno](err)
	switch {
	case misnamed && name.IsNotFound:
		return "there is no host of this name"
	case untrusted:
		return "its certificate does not hold: " + strings.TrimPrefix(broken.Err.Error(), "x509: ")
	case waited && wait.Timeout():
		return "no answer in time"
	case plain(err):
		return "it speaks plain http, not https"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was closed without an answer"
	case told:
		return system.Error()
	}
	return err.Error()
}

const maxMessage = 300 // characters of a server's message

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
