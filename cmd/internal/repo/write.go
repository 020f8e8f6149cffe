// The changes of files: all of them are checked before the first is made.

package repo

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"garnix2gha/generator/output"
)

// A draft is the file beside another that becomes its new content. A killed run may leave it behind; GitHub does not
// read it, no listing shows it, and a run an hour later removes it.
const (
	draftPrefix = ".garnix2gha-"
	draftSuffix = ".tmp"
	draftAge    = time.Hour
)

func isDraft(entry fs.DirEntry) bool {
	return entry.Type().IsRegular() && strings.HasPrefix(entry.Name(), draftPrefix) && strings.HasSuffix(entry.Name(), draftSuffix)
}

// Apply carries out the edits, the removals last, after it has refused the whole lot if any of them leaves the
// repository, reaches into .git, makes a file outside of .github, meets a symbolic link, or is for a file that no longer
// is as it was when the edit was decided. A file keeps its permissions and is replaced in one step: whenever the program
// is killed, each file is the old one or the new one. What tells the inputs of the others is written after them, so that
// those that are still old are not taken for edited.
func (r *Repo) Apply(edits []output.Change) error {
	modes := map[string]fs.FileMode{}
	for _, edit := range edits {
		mode, err := r.check(edit)
		if err != nil {
			return fmt.Errorf("change %q: refused: %w", edit.Path, err)
		}
		modes[edit.Path] = mode
	}
	for _, edit := range edits {
		if err := r.sweep(path.Dir(edit.Path)); err != nil {
			return fmt.Errorf("remove drafts: %w", err)
		}
	}
	var done []string
	for _, edit := range slices.SortedStableFunc(slices.Values(edits), func(a, b output.Change) int { return stage(a) - stage(b) }) {
		name, verb := filepath.FromSlash(edit.Path), "write"
		var err error
		if edit.New != nil {
			err = r.replace(name, edit.New, modes[edit.Path])
		} else if verb, err = "remove", r.root.Remove(name); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err != nil {
			return fmt.Errorf("%s %q: %w; changed before that: %q", verb, edit.Path, err, done)
		}
		done = append(done, edit.Path)
		r.Changed(edit.Path)
	}
	return nil
}

func stage(edit output.Change) int {
	switch {
	case edit.New == nil:
		return 2
	case edit.Path == output.Targets:
		return 1
	}
	return 0
}

// check returns the permissions that an edit's file has to keep, 0 for a new one.
func (r *Repo) check(edit output.Change) (fs.FileMode, error) {
	switch {
	case !fs.ValidPath(edit.Path) || !filepath.IsLocal(filepath.FromSlash(edit.Path)):
		return 0, errors.New("not a path within the repository")
	case slices.ContainsFunc(strings.Split(edit.Path, "/"), func(part string) bool { return strings.EqualFold(part, ".git") }):
		return 0, errors.New("it belongs to git")
	case edit.Old == nil && !strings.HasPrefix(edit.Path, ".github/"):
		return 0, errors.New("a new file belongs below .github")
	}
	mode, err := r.linkless(edit.Path)
	if err != nil {
		return 0, err
	}
	now, err := r.Read(edit.Path)
	done := now != nil && edit.New != nil && bytes.Equal(now, edit.New) // by another run
	if err == nil && !done && ((now == nil) != (edit.Old == nil) || !bytes.Equal(now, edit.Old)) {
		err = errors.New("it changed in the meantime; nothing was written, run the command again")
	}
	return mode, err
}

// linkless returns a regular file's permissions, 0 if there is none. It refuses symbolic links on the way, and anything else.
func (r *Repo) linkless(name string) (fs.FileMode, error) {
	parts := strings.Split(name, "/")
	for i := range parts {
		part := path.Join(parts[:i+1]...)
		info, err := r.root.Lstat(filepath.FromSlash(part))
		last := i == len(parts)-1
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return 0, nil
		case err != nil:
			return 0, err
		case info.Mode()&fs.ModeSymlink != 0:
			return 0, fmt.Errorf("%s is a symbolic link", part)
		case !last && !info.IsDir():
			return 0, fmt.Errorf("%s is not a folder", part)
		case last && !info.Mode().IsRegular():
			return 0, fmt.Errorf("%s is not a regular file", part)
		case last:
			return info.Mode().Perm(), nil
		}
	}
	return 0, nil
}

// replace gives a file its new content in one step.
func (r *Repo) replace(name string, data []byte, mode fs.FileMode) error {
	dir := filepath.Dir(name)
	if err := r.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	draft := filepath.Join(dir, draftPrefix+rand.Text()+draftSuffix)
	file, err := r.root.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil && mode != 0 {
		err = file.Chmod(mode)
	}
	if err = cmp.Or(err, file.Sync(), file.Close()); err == nil {
		err = r.root.Rename(draft, name)
	}
	if err != nil {
		return errors.Join(err, r.root.Remove(draft))
	}
	return nil
}

// sweep removes drafts of a folder that nobody can be writing any more.
func (r *Repo) sweep(dir string) error {
	entries, err := fs.ReadDir(r.root.FS(), dir)
	for _, entry := range entries {
		info, unknown := entry.Info()
		if !isDraft(entry) || unknown != nil || time.Since(info.ModTime()) < draftAge {
			continue
		}
		err = cmp.Or(err, r.root.Remove(filepath.Join(filepath.FromSlash(dir), entry.Name())))
	}
	if errors.Is(err, fs.ErrNotExist) { // no folder yet, or another run was faster
		return nil
	}
	return err
}
