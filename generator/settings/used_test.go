package settings_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"garnix2gha/generator/settings"
	"garnix2gha/templates"
)

// TestEverySettingIsRead looks for a reader of each field in the rooms that make something of the settings: one without
// would be a setting that does nothing. Another test holds that every key of the schema has a field.
func TestEverySettingIsRead(t *testing.T) {
	t.Parallel()
	const own = "garnix2gha/generator/settings"
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}\t{{.Dir}}\t{{join .GoFiles \"\t\"}}",
		"garnix2gha/generator/...", "garnix2gha/cmd/garnix2gha")
	list.Stderr = os.Stderr
	out, err := list.Output()
	require.NoError(t, err)
	exports := map[string]string{}
	var rooms [][]string
	for line := range strings.Lines(string(out)) {
		words := strings.Split(strings.TrimSpace(line), "\t")
		exports[words[0]] = words[1]
		if strings.HasPrefix(words[0], "garnix2gha/") && words[0] != own {
			rooms = append(rooms, words)
		}
	}
	set := token.NewFileSet()
	check := types.Config{Importer: importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	read := map[string]bool{}
	for _, room := range rooms {
		var files []*ast.File
		for _, name := range room[3:] {
			file, err := parser.ParseFile(set, filepath.Join(room[2], name), nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			files = append(files, file)
		}
		info := types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}}
		_, err := check.Check(room[0], set, files, &info)
		require.NoError(t, err)
		for _, chosen := range info.Selections {
			of := chosen.Recv()
			if pointer, ok := of.(*types.Pointer); ok {
				of = pointer.Elem()
			}
			if named, ok := of.(*types.Named); ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == own {
				read[named.Obj().Name()+"."+chosen.Obj().Name()] = true
			}
		}
	}
	handed := map[string]bool{"Names": true, "Triggers": true, "Timeouts": true} // whole, by generator/plan, to Jsonnet
	var spelling strings.Builder
	names, err := fs.Glob(templates.FS, "*.libsonnet")
	require.NoError(t, err)
	for _, name := range names {
		text, err := fs.ReadFile(templates.FS, name)
		require.NoError(t, err)
		spelling.Write(text)
	}
	var visit func(of reflect.Type, key string)
	visit = func(of reflect.Type, key string) {
		switch of.Kind() {
		case reflect.Map, reflect.Slice:
			visit(of.Elem(), key)
		case reflect.Struct:
			for _, field := range reflect.VisibleFields(of) {
				if field.IsExported() {
					name := field.Tag.Get("json")
					spelt := regexp.MustCompile(`\.` + name + `\b|\['` + name + `'\]`)
					if !read[of.Name()+"."+field.Name] && !(handed[of.Name()] && spelt.MatchString(spelling.String())) {
						t.Errorf("nothing reads the setting %s: use %s.%s in generator/plan", strings.TrimPrefix(key+"."+name, "."), of.Name(), field.Name)
					}
					visit(field.Type, strings.TrimPrefix(key+"."+name, "."))
				}
			}
		}
	}
	visit(reflect.TypeFor[settings.Settings](), "")
}
