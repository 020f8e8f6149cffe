package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// ErrChanged says that a file is not what a mend was made for.
var ErrChanged = errors.New("it changed in the meantime; nothing was written, run the command again")

// Mend is the change of one file that exists, wherever in the repository it lies. New is nil to remove it.
type Mend struct {
	Path     string // slash path
	Old, New []byte
}

// Mend carries out the mends, after it has refused the whole lot if any of them leaves the repository, reaches into
// .git, meets a symbolic link, or would change a file that no longer holds Old. Each file keeps its permissions and is
// replaced in one step, as by Apply.
func (r *Repo) Mend(mends []Mend) error {
	modes := make([]fs.FileMode, len(mends))
	for i, mend := range mends {
		mode, err := r.mendable(mend)
		if err != nil {
			return fmt.Errorf("change %q: refused: %w", mend.Path, err)
		}
		modes[i] = mode
	}
	for i, mend := range mends {
		name := filepath.FromSlash(mend.Path)
		if mend.New == nil {
			if err := r.root.Remove(name); err != nil {
				return fmt.Errorf("remove %q: %w", mend.Path, err)
			}
			continue
		}
		if err := r.replace(name, mend.New, modes[i]); err != nil {
			return fmt.Errorf("change %q: %w", mend.Path, err)
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
	if err != nil {
		return 0, err
	}
	if !bytes.Equal(now, mend.Old) {
		return 0, ErrChanged
	}
	return info.Mode().Perm(), nil
}
