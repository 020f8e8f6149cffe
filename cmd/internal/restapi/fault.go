// What keeps a service from answering as hoped.

package restapi

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
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
	base, err := url.Parse(c.BaseURL)
	authorized := false
	if err == nil {
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

var errCutOff = errors.New("the answer was cut off")

// silence is the fault of an attempt without an answer that could be used.
func (c Caller) silence(err error) *Fault {
	_, answered := errors.AsType[permanent](err)
	return c.fault(0, answered, reason(err))
}

// passing reports whether a failed attempt may succeed when repeated: not with an unknown name, a certificate that does
// not hold, or a server that does not speak TLS.
func passing(err error) bool {
	_, answered := errors.AsType[permanent](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	name, misnamed := errors.AsType[*net.DNSError](err)
	return !answered && !untrusted && !plain(err) && !(misnamed && name.IsNotFound)
}

// plain reports whether a server behind https speaks plain http.
func plain(err error) bool {
	_, garbled := errors.AsType[tls.RecordHeaderError](err)
	return garbled || errors.Is(err, http.ErrSchemeMismatch)
}

// reason says in everyday words why there was no answer. It leaves the address out, which the caller knows and which
// after a redirect may carry a signature.
func reason(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok && name.IsNotFound {
		return "there is no host of this name"
	}
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate does not hold: " + strings.TrimPrefix(untrusted.Err.Error(), "x509: ")
	}
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return "no answer in time"
	}
	if plain(err) {
		return "it speaks plain http, not https"
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
		return "the connection was closed without an answer"
	}
	if system, ok := errors.AsType[syscall.Errno](err); ok {
		return system.Error()
	}
	return err.Error()
}
