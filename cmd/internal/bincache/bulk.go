package bincache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// bulkChunk is the number of hashes the Cachix client sends in one request, for a limit of 1 MB.
const bulkChunk = 32768

// BulkMissing asks the Cachix API at apiURL, for example "https://app.cachix.org/api/v1", which of the hashes the cache
// has not, and returns them in the order given. A hash that is not missing need not be in the cache: what an upstream
// serves counts as present. The error is an *Error, ctx's own, or names what is wrong with an argument.
func (c *Client) BulkMissing(ctx context.Context, apiURL, cacheName string, hashes []string) ([]string, error) {
	u, credential, err := parseURL(apiURL)
	if err != nil {
		return nil, err
	}
	if credential != nil {
		return nil, errors.New("ask for missing paths: the API's URL holds a credential; give it in the configuration")
	}
	api := c.endpoint(u)
	if cacheName == "" || strings.Trim(cacheName, ".") == "" {
		return nil, fmt.Errorf("ask for missing paths: %q is not the name of a cache", cacheName)
	}
	for _, hash := range hashes {
		if len(hash) != hashLen || !isNix32(hash) {
			return nil, fmt.Errorf("ask for missing paths: %.100q is not the hash of a store path", hash)
		}
	}
	var missing []string
	for len(hashes) > 0 {
		chunk := hashes[:min(len(hashes), bulkChunk)]
		hashes = hashes[len(chunk):]
		some, err := c.bulk(ctx, api, cacheName, chunk)
		if err != nil {
			return nil, err
		}
		missing = append(missing, some...)
	}
	return missing, nil
}

func (c *Client) bulk(ctx context.Context, api endpoint, cacheName string, chunk []string) ([]string, error) {
	body, err := json.Marshal(chunk)
	if err != nil {
		return nil, fmt.Errorf("encode hashes: %w", err)
	}
	got, err := c.fetch(ctx, request{
		method: http.MethodPost, to: api, path: "cache/" + url.PathEscape(cacheName) + "/narinfo",
		body: body, limit: int64(2*len(body) + maxErrorBody),
	})
	if err != nil {
		return nil, err
	}
	var answered []string
	err = json.Unmarshal(got, &answered)
	if err == nil && answered == nil {
		err = errors.New("null instead of a list")
	}
	if err != nil {
		return nil, c.garbled(api, got, err)
	}
	absent := make(map[string]bool, len(answered))
	for _, hash := range answered {
		absent[hash] = true
	}
	var missing []string
	for _, hash := range chunk {
		if absent[hash] {
			delete(absent, hash)
			missing = append(missing, hash)
		}
	}
	if len(absent) > 0 {
		return nil, c.garbled(api, got, fmt.Errorf("%d hashes that nobody asked for", len(absent)))
	}
	return missing, nil
}
