// Calls without an answer that could be used, and why.

package restapi

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// Failure is a call without an answer that could be used. It holds no secret and is fit for a terminal.
type Failure struct {
	Party  string
	Reason string
	// Answered: something did answer, but not as the service does; a proxy or a login page may be in between.
	Answered bool
}

// Error names the party and the reason.
func (f *Failure) Error() string {
	if f.Answered {
		return f.Party + " answers with something else than expected: " + f.Reason
	}
	return f.Party + " gives no answer: " + f.Reason
}

// permanent marks an answer that a second attempt would only repeat.
type permanent struct{ error }

var errCutOff = errors.New("the answer was cut off")

func (c Caller) failure(err error) *Failure {
	_, answered := errors.AsType[permanent](err)
	return &Failure{Party: c.Party, Reason: c.Clean(reason(err)), Answered: answered}
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
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return "the connection was closed without an answer"
	}
	if system, ok := errors.AsType[syscall.Errno](err); ok {
		return system.Error()
	}
	return err.Error()
}
