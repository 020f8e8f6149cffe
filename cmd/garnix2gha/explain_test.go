package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/cmd/internal/bincache"
	"garnix2gha/cmd/internal/explain"
	"garnix2gha/generator/settings"
)

// TestExplanationsHold makes every example, and looks for its code in what the commands print.
func TestExplanationsHold(t *testing.T) {
	t.Parallel()
	requireTool(t, "git")
	for _, page := range explain.Pages() {
		t.Run(page.Code, func(t *testing.T) {
			t.Parallel()
			lines := strings.Split(page.Summary+"\n"+page.Text, "\n")
			assert.True(t, 3 <= len(lines) && len(lines) <= 12, "%d lines", len(lines))
			for _, line := range lines {
				assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
			}
			require.NotEmpty(t, page.Commands)
			code := strings.TrimSuffix(page.Code, "KIND")
			if page.Test != "" {
				assert.Contains(t, page.Output, code)
				test, err := os.ReadFile("../../" + page.Test)
				require.NoError(t, err)
				assert.Contains(t, string(test), code, "this test shows it")
				return
			}
			files := map[string]string{}
			for _, file := range page.Files {
				files[file.Path] = file.Content
			}
			repository := "mkdir .git\n"
			if page.Group == "leftovers" || page.Group == "retire" {
				repository = "git init -q; git add -A; git commit -q --allow-empty -m first\n"
			}
			command := exec.Command("sh", "-c", repository+strings.Join(page.Commands, "\n"))
			command.Dir = folder(t, files)
			command.Env = []string{
				"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
				"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.org", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.org",
			}
			out, _ := command.CombinedOutput() // findings fail
			shown := regexp.MustCompile(`(?m)\[` + code + `|: ` + code + `(:| \(|$)|"` + code + `"`)
			assert.Regexp(t, shown, string(out))
		})
	}
}

// TestEveryCodeIsExplained compares the pages with the codes that stand in the source.
func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()
	used := codesInSource(t)
	for _, page := range explain.Pages() {
		at := slices.Index(used, page.Code)
		if at < 0 {
			t.Errorf("nothing uses %s any more: remove cmd/internal/explain/codes/%s/%s.txtar", page.Code, page.Group, page.Code)
			continue
		}
		used = slices.Delete(used, at, at+1)
	}
	for _, code := range used {
		t.Errorf("no page for %s: write cmd/internal/explain/codes/GROUP/%s.txtar", code, code)
	}
}

// codesInSource finds what the program uses as a code: arguments of parameters called code, and what is assigned to
// variables, results and fields of that name.
func codesInSource(t *testing.T) []string {
	s := source{values: map[string][]string{
		"code": nil, "c.code": nil, "d.Code": nil, // handed on: it was found where it comes from
		"file.Status": nil, "string(change.Status)": nil, "string(t.Kind)": nil, // one of the constants
		"exit.ExitCode()":              nil, // of a process
		`text("code", c.code)`:         codesInSchema(t),
		`"actionlint-" + p.Kind`:       {"actionlint-KIND"},
		`"cache-" + string(r.Verdict)`: {"cache-" + string(bincache.Missing), "cache-" + string(bincache.Unknown)},
	}, parameters: map[string]int{}, found: map[string]bool{}, set: token.NewFileSet()}
	var files []*ast.File
	for _, root := range []string{"../../generator", "../../cmd"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "explain") {
				return err
			}
			file, err := parser.ParseFile(s.set, path, nil, parser.SkipObjectResolution)
			files = append(files, file)
			return err
		}))
	}
	for _, file := range files {
		s.declared(file)
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool { return s.used(t, file.Name.Name, n) })
	}
	return slices.Sorted(maps.Keys(s.found))
}

// source is what codes are found by.
type source struct {
	set        *token.FileSet
	values     map[string][]string // the codes that an expression may be, which is no literal
	parameters map[string]int      // the place of code among the parameters, by package and function
	found      map[string]bool
}

// declared notes functions of a file that take a code, and the constants that are used as codes.
func (s *source) declared(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			at := 0
			for _, field := range n.Type.Params.List {
				for _, name := range field.Names {
					if name.Name == "code" {
						s.parameters[file.Name.Name+"."+n.Name.Name] = at
					}
					at++
				}
			}
		case *ast.ValueSpec:
			if n.Type == nil || !slices.Contains([]string{"leftovers.Kind", "output.Status"}, file.Name.Name+"."+types.ExprString(n.Type)) {
				break
			}
			for _, value := range n.Values {
				text, _ := literal(value)
				s.found[text] = true
			}
		}
		return true
	})
}

// used finds the codes of a node.
func (s *source) used(t *testing.T, pkg string, n ast.Node) bool {
	named := func(e ast.Expr) bool {
		switch e := e.(type) {
		case *ast.Ident:
			return e.Name == "code" || e.Name == "Code"
		case *ast.SelectorExpr:
			return e.Sel.Name == "code" || e.Sel.Name == "Code"
		}
		return false
	}
	switch n := n.(type) {
	case *ast.CallExpr:
		name := ""
		switch called := n.Fun.(type) {
		case *ast.Ident:
			name = called.Name
		case *ast.SelectorExpr:
			if x, ok := called.X.(*ast.Ident); ok && x.Name == "fmt" {
				return true
			}
			name = called.Sel.Name
		}
		at, ok := s.parameters[pkg+"."+name]
		if !ok {
			at, ok = s.parameters["diag."+name]
		}
		if ok && at < len(n.Args) {
			s.code(t, n.Args[at])
		}
	case *ast.KeyValueExpr:
		if named(n.Key) {
			s.code(t, n.Value)
		}
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			if named(to) && len(n.Lhs) == len(n.Rhs) {
				s.code(t, n.Rhs[i])
			}
		}
	case *ast.FuncDecl:
		if n.Type.Results == nil || len(n.Type.Results.List[0].Names) == 0 || n.Type.Results.List[0].Names[0].Name != "code" || n.Body == nil {
			return true
		}
		ast.Inspect(n.Body, func(n ast.Node) bool {
			if result, ok := n.(*ast.ReturnStmt); ok && len(result.Results) > 0 {
				s.code(t, result.Results[0])
			}
			return true
		})
	}
	return true
}

func (s *source) code(t *testing.T, e ast.Expr) {
	if text, ok := literal(e); ok {
		if text != "" {
			s.found[text] = true
		}
		return
	}
	texts, known := s.values[types.ExprString(e)]
	assert.True(t, known, "%s: which codes can %s be?", s.set.Position(e.Pos()), types.ExprString(e))
	for _, text := range texts {
		s.found[text] = true
	}
}

func literal(e ast.Expr) (string, bool) {
	basic, ok := e.(*ast.BasicLit)
	if !ok || basic.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(basic.Value)
	return text, err == nil
}

// codesInSchema finds the codes that the rules of the settings give.
func codesInSchema(t *testing.T) []string {
	var schema any
	require.NoError(t, json.Unmarshal(settings.Schema(), &schema))
	var codes []string
	var visit func(any)
	visit = func(value any) {
		switch value := value.(type) {
		case []any:
			for _, item := range value {
				visit(item)
			}
		case map[string]any:
			if code, ok := value["code"].(string); ok && value["message"] != nil {
				codes = append(codes, code)
			}
			for _, item := range value {
				visit(item)
			}
		}
	}
	visit(schema)
	require.NotEmpty(t, codes)
	return codes
}

func TestExplain(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		args         []string
		code         int
		says, errors string
	}{
		{name: "a code", args: []string{"matcher-parts"}, says: "matcher-parts: A matcher has one part, or more than three\n\nA matcher names an attribute path"},
		{name: "its example", args: []string{"matcher-parts"}, says: "For example, garnix.yaml:\n\n    builds:\n      include: [packages]\n\nShown by:\n\n    $ garnix2gha targets\n"},
		{name: "a status", args: []string{"stale-inputs"}, says: "stale-inputs: What the file was generated from has changed\n"},
		{name: "a rule of another's", args: []string{"actionlint-if-cond"}, says: "actionlint-if-cond: actionlint finds fault with a workflow\n"},
		{name: "no rule of another's", args: []string{"actionlint-"}, code: exitUsage, errors: `unknown code "actionlint-"; "garnix2gha explain" lists all`},
		{name: "a misspelt one", args: []string{"matcher-part"}, code: exitUsage, errors: `unknown code "matcher-part"; did you mean "matcher-parts"?` + "\n"},
		{name: "none at all", args: []string{"\x1b[31mnonsense"}, code: exitUsage, errors: `unknown code "\x1b[31mnonsense"; "garnix2gha explain" lists all`},
		{name: "two", args: []string{"a", "b"}, code: exitUsage, errors: "want one code"},
		{name: "a group", args: []string{"leftovers"}, says: "leftovers\n  "},
		{name: "the list", says: "files\n  current          The file is what would be generated now\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := invocation{}.run(t, append([]string{"explain"}, tc.args...)...)
			assert.Equal(t, tc.code, got.code)
			assert.Contains(t, got.stdout, tc.says)
			assert.Contains(t, got.stderr, tc.errors)
		})
	}
	page := decoded[explain.Page](t, invocation{}.run(t, "explain", "matcher-parts", "--format", "json"))
	assert.Equal(t, "matcher-parts", page.Code)
	assert.Equal(t, []explain.File{{Path: "garnix.yaml", Content: "builds:\n  include: [packages]\n"}}, page.Files)
	all, group := invocation{}.run(t, "explain").stdout, invocation{}.run(t, "explain", "leftovers").stdout
	for _, shown := range []string{all, group} {
		assert.True(t, strings.HasSuffix(shown, "\n\ngarnix2gha explain CODE tells more\n"), shown)
	}
	for _, page := range explain.Pages() {
		assert.Contains(t, all, "\n  "+page.Code+" ")
		assert.Equal(t, page.Group == "leftovers", strings.Contains(group, "\n  "+page.Code+" "), page.Code)
	}
	assert.NotEmpty(t, decoded[struct{ Codes []explain.Page }](t, invocation{}.run(t, "explain", "leftovers", "--format", "json")).Codes)
	list := decoded[struct{ Codes []explain.Page }](t, invocation{}.run(t, "explain", "--format", "json"))
	assert.Len(t, list.Codes, len(explain.Pages()))
	offered := invocation{}.run(t, "__complete", "explain", "")
	for _, page := range explain.Pages() {
		assert.Contains(t, offered.stdout, fmt.Sprintf("%s\t%s\n", page.Code, page.Summary))
	}
}

func TestCodesLinkToTheirPages(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"matcher-parts", "actionlint-syntax-check"} {
		address := explanation("https://example.org/octo/tool", code)
		name, ok := strings.CutPrefix(address, "https://example.org/octo/tool/blob/"+buildVersion()+"/")
		require.True(t, ok, address)
		assert.FileExists(t, filepath.Join("../..", name))
	}
	assert.Empty(t, explanation("", "matcher-parts"))
	assert.Empty(t, explanation("https://example.org/octo/tool", "nonsense"))
}
