// Package repo reads what a repository holds for garnix2gha and is the only place that writes files of the repository:
// what garnix2gha generates, only below .github, and what it changes elsewhere, only files that are there.
package repo

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// The files that are read, relative to the repository root.
const (
	ConfigFile      = "garnix.yaml"
	MovedConfigFile = ".github/garnix2gha/garnix.yaml" // read as ConfigFile where the root has none
	SettingsFile    = ".github/garnix2gha/config.yaml"
	LockFile        = ".github/garnix2gha/lock.json"
	OverlayFile     = ".github/garnix2gha/overlay.libsonnet"
)

// maxFile bounds what is read; GitHub's own limit on a workflow is far below, and so is any real garnix.yaml.
const maxFile = 16 << 20

// ErrNoRoot says that no repository root was found.
var ErrNoRoot = errors.New("no git repository, flake.nix or garnix.yaml here or in any folder above")

// Find returns the absolute path of the repository that dir lies in: git's root, the only place where GitHub reads
// workflows and where garnix read its configuration. Outside of git it is the first folder upwards that has flake.nix,
// garnix.yaml (in either place) or the settings.
func Find(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find repository root: %w", err)
	}
	// In the work trees and submodules of git .git is a file.
	root := cmp.Or(upwards(dir, ".git"), upwards(dir, "flake.nix", ConfigFile, MovedConfigFile, SettingsFile))
	if root == "" {
		return "", ErrNoRoot
	}
	return root, nil
}

// upwards returns the first folder from dir to the root of the file system that has any of the files, "" if none does.
func upwards(dir string, files ...string) string {
	for {
		for _, name := range files {
			if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
				return dir
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// Repo is a repository opened at its root; nothing outside of it can be reached.
type Repo struct {
	root *os.Root

	Changed func(path string) // told of each file once it is written or removed
}

// Open opens the repository at dir.
func Open(dir string) (*Repo, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open repository: %w", err)
	}
	return &Repo{root: root, Changed: func(string) {}}, nil
}

// Close releases the root.
func (r *Repo) Close() error { return r.root.Close() }

// Dir returns the folder the repository was opened at, as it was named.
func (r *Repo) Dir() string { return r.root.Name() }

// FS returns the repository as a file system.
func (r *Repo) FS() fs.FS { return r.root.FS() }

// Read returns a file's content, nil without error when it does not exist.
func (r *Repo) Read(name string) ([]byte, error) {
	// Asked first: opening a pipe would wait for a writer.
	info, err := r.root.Stat(filepath.FromSlash(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, inside(err))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read %s: not a regular file", name)
	}
	file, err := r.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer file.Close()
	return ReadLimited(file, name)
}

// inside says in everyday words that a path leads out of the repository, which os.Root has no exported error for.
func inside(err error) error {
	if strings.HasSuffix(err.Error(), "path escapes from parent") {
		return errors.New("a symbolic link leads out of the repository")
	}
	return err
}

// ReadLimited reads a file that is not absurdly large.
func ReadLimited(file io.Reader, name string) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case len(content) > maxFile:
		return nil, fmt.Errorf("read %s: larger than %d bytes", name, maxFile)
	}
	return content, nil
}

// Workflows returns the workflow files by path, and why others of such a name are not read, in lower case without a full stop.
func (r *Repo) Workflows(dir string) (files map[string][]byte, unread map[string]string, err error) {
	files, unread = map[string][]byte{}, map[string]string{}
	entries, err := fs.ReadDir(r.root.FS(), dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("list %s: %w", dir, inside(err))
	}
	for _, entry := range entries {
		name := path.Join(dir, entry.Name())
		switch ext := path.Ext(name); {
		case ext != ".yml" && ext != ".yaml":
		case entry.IsDir():
			unread[name] = "it is a folder"
		case entry.Type()&fs.ModeSymlink != 0:
			unread[name] = "it is a symbolic link"
		case !entry.Type().IsRegular():
			unread[name] = "it is not a regular file"
		default:
			content, err := r.Read(name)
			if err != nil {
				unread[name] = err.Error()
			} else if content != nil { // still there
				files[name] = content
			}
		}
	}
	return files, unread, nil
}

// Tree returns every file below a folder by path, but no drafts. A symbolic link and its like have no content.
func (r *Repo) Tree(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(r.root.FS(), dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case name == dir && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return fmt.Errorf("list %s: %w", dir, inside(err))
		case entry.IsDir(), isDraft(entry):
			return nil
		}
		files[name] = []byte{}
		if entry.Type().IsRegular() {
			files[name], err = r.Read(name)
		}
		return err
	})
	return files, err
}
