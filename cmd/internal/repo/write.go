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
	"strings"
	"time"
)

// A draft is the file beside another that becomes its new content, one for each process. A killed run may leave it
// behind; GitHub does not read it, and a run an hour later removes it.
const (
	draftPrefix = ".garnix2gha-"
	draftSuffix = ".tmp"
	draftAge    = time.Hour
)

// ErrChanged says that a file is not what a mend was made for.
var ErrChanged = errors.New("it changed in the meantime; nothing was written, run the command again")

// Edit is one file to write, or to remove when Data is nil.
type Edit struct {
	Path string // slash path below .github
	Data []byte
}

// Mend is the change of one file that exists, wherever in the repository it lies. New is nil to remove it.
type Mend struct {
	Path     string // slash path
	Old, New []byte
}

// Apply carries out the edits, after it has refused the whole lot if any of them leaves .github or meets a symbolic
// link. Each file is replaced in one step: whenever the program is killed, a file is the old one or the new one.
func (r *Repo) Apply(edits []Edit) error {
	changes := make([]Mend, len(edits))
	for i, edit := range edits {
		changes[i] = Mend{Path: edit.Path, New: edit.Data}
	}
	return r.change(changes, func(m Mend) (fs.FileMode, error) {
		if !strings.HasPrefix(m.Path, ".github/") || path.Clean(m.Path) != m.Path {
			return 0, errors.New("not below .github")
		}
		return 0, r.linkless(m.Path)
	})
}

// Mend carries out the mends, after it has refused the whole lot if any of them leaves the repository, reaches into
// .git, meets a symbolic link, or would change a file that no longer holds Old. Each file keeps its permissions and is
// replaced in one step, as by Apply.
func (r *Repo) Mend(mends []Mend) error { return r.change(mends, r.mendable) }

// change makes the changes if each is allowed, with these permissions, or those of any new file if they are 0.
func (r *Repo) change(changes []Mend, allowed func(Mend) (fs.FileMode, error)) error {
	modes := make([]fs.FileMode, len(changes))
	for i, c := range changes {
		mode, err := allowed(c)
		if err != nil {
			return fmt.Errorf("change %q: refused: %w", c.Path, err)
		}
		modes[i] = mode
	}
	for i, c := range changes {
		name := filepath.FromSlash(c.Path)
		if c.New == nil {
			if err := r.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove %q: %w", c.Path, err)
			}
		} else if err := r.replace(name, c.New, modes[i]); err != nil {
			return fmt.Errorf("write %q: %w", c.Path, err)
		}
		if r.Changed != nil {
			r.Changed(c.Path)
		}
	}
	return nil
}

// mendable returns the permissions of the file that a mend is for.
func (r *Repo) mendable(mend Mend) (fs.FileMode, error) {
	if !fs.ValidPath(mend.Path) || !filepath.IsLocal(filepath.FromSlash(mend.Path)) {
		return 0, errors.New("not a path within the repository")
	}
	for part := range strings.SplitSeq(mend.Path, "/") {
		if strings.EqualFold(part, ".git") {
			return 0, errors.New("it belongs to git")
		}
	}
	if err := r.linkless(mend.Path); err != nil {
		return 0, err
	}
	info, err := r.root.Lstat(filepath.FromSlash(mend.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, ErrChanged
	}
	if err != nil {
		return 0, err
	}
	now, err := r.Read(mend.Path)
	if err == nil && !bytes.Equal(now, mend.Old) {
		err = ErrChanged
	}
	return info.Mode().Perm(), err
}

// linkless refuses a path that goes through a symbolic link or names anything but a regular file or nothing.
func (r *Repo) linkless(name string) error {
	parts := strings.Split(name, "/")
	for i := range parts {
		part := path.Join(parts[:i+1]...)
		info, err := r.root.Lstat(filepath.FromSlash(part))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%s is a symbolic link", part)
		case i < len(parts)-1 && !info.IsDir():
			return fmt.Errorf("%s is not a folder", part)
		case i == len(parts)-1 && !info.Mode().IsRegular():
			return fmt.Errorf("%s is not a regular file", part)
		}
	}
	return nil
}

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
