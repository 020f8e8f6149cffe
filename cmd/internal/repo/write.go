// The changes of files: all of them are checked before the first is made.

package repo

import (
	"bytes"
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

// A draft is the file beside another that becomes its new content, one for each process. A killed run may leave it
// behind; GitHub does not read it, and a run an hour later removes it.
const (
	draftPrefix = ".garnix2gha-"
	draftSuffix = ".tmp"
	draftAge    = time.Hour
)

// Apply carries out the edits, the removals last, after it has refused the whole lot if any of them leaves the
// repository, reaches into .git, makes a file outside of .github, meets a symbolic link, or is for a file that no longer
// is as it was when the edit was decided. A file keeps its permissions and is replaced in one step: whenever the program
// is killed, each file is the old one or the new one.
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
		if edit.New == nil {
			continue
		}
		if err := r.replace(filepath.FromSlash(edit.Path), edit.New, modes[edit.Path]); err != nil {
			return fmt.Errorf("write %q: %w", edit.Path, err)
		}
		r.Changed(edit.Path)
	}
	for _, edit := range edits {
		if edit.New != nil {
			continue
		}
		if err := r.root.Remove(filepath.FromSlash(edit.Path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %q: %w", edit.Path, err)
		}
		r.Changed(edit.Path)
	}
	return nil
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
	if err == nil && ((now == nil) != (edit.Old == nil) || !bytes.Equal(now, edit.Old)) {
		err = errors.New("it changed in the meantime; nothing was written, run the command again")
	}
	return mode, err
}

// linkless returns the permissions of the regular file of a path, 0 if there is none. It refuses a path that goes through
// a symbolic link or names anything else.
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
	if err := r.sweep(dir); err != nil {
		return err
	}
	draft := filepath.Join(dir, fmt.Sprint(draftPrefix, os.Getpid(), draftSuffix))
	file, err := r.root.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil && mode != 0 {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = r.root.Rename(draft, name)
	}
	if err != nil {
		return errors.Join(err, r.root.Remove(draft))
	}
	return nil
}

// sweep removes drafts that nobody can be writing any more.
func (r *Repo) sweep(dir string) error {
	entries, err := fs.ReadDir(r.root.FS(), filepath.ToSlash(dir))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), draftPrefix) || !strings.HasSuffix(entry.Name(), draftSuffix) {
			continue
		}
		if info, err := entry.Info(); err != nil || time.Since(info.ModTime()) < draftAge {
			continue
		}
		if err := r.root.Remove(filepath.Join(dir, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
