package bincache

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Info is what a cache says of itself in nix-cache-info.
type Info struct {
	StoreDir      string
	WantMassQuery bool
	Priority      int // lower is asked first; 0 if the cache does not say
}

// Info reads nix-cache-info. The error is an *Error or ctx's own; a cache for another store directory is an OtherStore
// error and comes with what was read.
func (c *Client) Info(ctx context.Context) (Info, error) { return c.info(ctx, c.cache) }

func (c *Client) info(ctx context.Context, of endpoint) (Info, error) {
	body, err := c.fetch(ctx, request{method: http.MethodGet, to: of, path: "nix-cache-info", limit: maxErrorBody})
	if err != nil {
		if fault, ok := errors.AsType[*Error](err); ok && fault.Fault == Absent {
			fault.Detail = "without nix-cache-info it is no binary cache"
		}
		return Info{}, err
	}
	info, err := parseInfo(body)
	if err != nil {
		return Info{}, c.garbled(of, body, err)
	}
	if info.StoreDir != StoreDir {
		return info, &Error{Fault: OtherStore, Host: of.host, Status: http.StatusOK, Detail: oneLine(info.StoreDir), Authorized: of.authorized}
	}
	return info, nil
}

func parseInfo(body []byte) (Info, error) {
	var info Info
	err := eachField(body, false, func(key, value string) (err error) {
		switch key {
		case "StoreDir":
			info.StoreDir = value
		case "WantMassQuery":
			info.WantMassQuery = value == "1"
		case "Priority":
			info.Priority, err = strconv.Atoi(value)
		}
		return err
	})
	switch {
	case err != nil:
		return Info{}, fmt.Errorf("parse nix-cache-info: %w", err)
	case info.StoreDir == "":
		return Info{}, errors.New("parse nix-cache-info: StoreDir is missing")
	}
	return info, nil
}

// garbled makes an error of a 200 that cannot be read.
func (c *Client) garbled(from endpoint, body []byte, reason error) *Error {
	detail := reason.Error()
	if looksLikeMarkup(string(body)) {
		detail = "a web page: " + plainText(body[:min(len(body), maxErrorBody)])
	}
	return &Error{
		Fault: Garbled, Host: from.host, Status: http.StatusOK, Detail: oneLine(c.auth.scrub(detail)),
		Authorized: from.authorized, final: true,
	}
}
