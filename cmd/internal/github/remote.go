package github

import (
	"net/url"
	"regexp"
	"strings"
)

var (
	// ownerName also admits the underscore of an enterprise's managed users.
	ownerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$`)
	repoName  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	// scpRemote is git's short form of ssh, "user@host:path"; a slash before the colon makes it a file's path.
	scpRemote = regexp.MustCompile(`^(?:[^@/:\s]+@)?([^@/:\s]+):(.+)$`)
)

// ParseRemote reads owner and repository from what "git remote get-url" prints: an https, ssh or git address or the short
// form of ssh, with or without ".git". Only addresses at host count; "" is github.com, whose ssh port over https is
// ssh.github.com. Credentials in the address are ignored.
func ParseRemote(remote, host string) (owner, repo string, ok bool) {
	if host == "" {
		host = "github.com"
	}
	remote = strings.TrimSpace(remote)
	at, path := splitRemote(remote)
	at = strings.ToLower(at)
	if want := strings.ToLower(host); at != want && at != "ssh."+want && at != "www."+want {
		return "", "", false
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	owner, repo, ok = strings.Cut(path, "/")
	if !ok || !validRepository(owner, repo) {
		return "", "", false
	}
	return owner, repo, true
}

// splitRemote takes the host, without port and user, and the path from an address.
func splitRemote(remote string) (host, path string) {
	if !strings.Contains(remote, "://") {
		if short := scpRemote.FindStringSubmatch(remote); short != nil {
			return short[1], short[2]
		}
		return "", ""
	}
	address, err := url.Parse(remote)
	if err != nil {
		return "", ""
	}
	switch address.Scheme {
	case "https", "http", "ssh", "git", "git+ssh", "ssh+git":
		return address.Hostname(), address.Path
	}
	return "", ""
}

func validRepository(owner, repo string) bool {
	return ownerName.MatchString(owner) && repoName.MatchString(repo) && repo != "." && repo != ".."
}
