// What keeps a cache from answering as hoped.

package bincache

import (
	"fmt"
	"net/http"
)

// Fault is the kind of thing that kept a cache from answering as hoped.
type Fault string

// The faults.
const (
	Absent      Fault = "absent"      // 404, 410: not there
	Forbidden   Fault = "forbidden"   // 403: S3 says so of a missing object, others of a refusal
	Refused     Fault = "refused"     // 401, 407: the credentials are missing or wrong
	Unavailable Fault = "unavailable" // no proper answer: 429, 5xx, time-outs, no connection
	Garbled     Fault = "garbled"     // an answer that the protocol does not know
	OtherStore  Fault = "other-store" // a cache for another store directory
)

// Error is a request that a cache did not grant. Neither its text nor its fields hold a secret or a control character.
type Error struct {
	Fault      Fault
	Host       string
	Status     int    // 0 if there was no answer
	Detail     string // what the server or the network said, shortened; may be empty
	Authorized bool   // whether a credential was known for the host
}

// faultOf is the fault that a status means, whatever asking again could do about it.
func faultOf(status int) Fault {
	switch {
	case status == http.StatusNotFound, status == http.StatusGone:
		return Absent
	case status == http.StatusForbidden:
		return Forbidden
	case status == http.StatusUnauthorized, status == http.StatusProxyAuthRequired:
		return Refused
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return Unavailable
	}
	return Garbled
}

// Error returns the cause in a sentence.
func (e *Error) Error() string {
	text := ""
	switch e.Fault {
	case Absent:
		text = fmt.Sprintf("%s has no such thing", e.Host)
	case Forbidden:
		text = fmt.Sprintf("%s forbids it", e.Host)
	case Refused:
		text = fmt.Sprintf("%s wants credentials and none were given", e.Host)
		if e.Authorized {
			text = fmt.Sprintf("%s refuses the credentials", e.Host)
		}
	case Unavailable:
		text = fmt.Sprintf("%s gives no answer", e.Host)
	case Garbled:
		text = fmt.Sprintf("%s answers with something else", e.Host)
	case OtherStore:
		text = fmt.Sprintf("%s is a cache for another store", e.Host)
	}
	if e.Status != 0 && e.Status != http.StatusOK {
		text += fmt.Sprintf(" (%d)", e.Status)
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Next returns what to do about it.
func (e *Error) Next() string {
	switch e.Fault {
	case Absent:
		return "check the cache's URL"
	case Forbidden, Refused:
		if e.Authorized {
			return fmt.Sprintf("check that the token has not expired and may read %s", e.Host)
		}
		return fmt.Sprintf("give a token or a netrc entry for %s", e.Host)
	case Unavailable:
		switch {
		case e.Status == http.StatusTooManyRequests:
			return "wait, then verify again with fewer requests at a time"
		case e.Status != 0:
			return "verify again later"
		}
		return fmt.Sprintf("check the name %s and the network, then verify again", e.Host)
	case OtherStore:
		return "use a cache whose StoreDir is " + StoreDir
	}
	return fmt.Sprintf("check that %s is the cache itself and that no proxy or login page answers in its place", e.Host)
}
