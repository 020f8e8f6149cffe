package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// temporary marks files that a killed run may leave behind; GitHub reads none of them.
const temporary = ".garnix2gha.tmp"

// Edit is one file to write, or to remove when Data is nil.
type Edit struct {
	Path string // slash path below .github
	Data []byte
}

// Apply carries out the edits, after it has refused the whole lot if any of them leaves .github or meets a symbolic
// link. Each file is replaced in one step: whenever the program is killed, a file is the old one or the new one.
func (r *Repo) Apply(edits []Edit) error {
	for _, edit := range edits {
		if err := r.plain(edit.Path); err != nil {
			return fmt.Errorf("write %s: refused: %w", edit.Path, err)
		}
	}
	for _, edit := range edits {
		name := filepath.FromSlash(edit.Path)
		if edit.Data == nil {
			if err := r.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove %s: %w", edit.Path, err)
			}
			continue
		}
		if err := r.replace(name, edit.Data, 0); err != nil {
			return fmt.Errorf("write %s: %w", edit.Path, err)
		}
	}
	return nil
}

// replace gives the file these permissions, or those of any new file if they are 0.
func (r *Repo) replace(name string, data []byte, mode fs.FileMode) error {
	dir := filepath.Dir(name)
	if err := r.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := r.sweep(dir); err != nil {
		return err
	}
	draft := filepath.Join(dir, temporary)
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

// sweep removes the drafts of a run that was killed.
func (r *Repo) sweep(dir string) error {
	entries, err := fs.ReadDir(r.root.FS(), filepath.ToSlash(dir))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") && strings.HasSuffix(entry.Name(), temporary) {
			if err := r.root.Remove(path.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
