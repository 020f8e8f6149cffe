package main

import (
	"archive/zip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"garnix2gha/generator"
	"garnix2gha/templates"
)

const converted = `document.getElementById("summary").textContent.startsWith("Converted")`

// TestExamplesHaveTitles holds what the page's menu shows of each.
func TestExamplesHaveTitles(t *testing.T) {
	t.Parallel()
	all, err := examples(filepath.Join("..", ".."))
	require.NoError(t, err)
	titles := map[string]bool{}
	for _, example := range all {
		assert.NotEmpty(t, example.Title, example.Config)
		assert.True(t, strings.HasPrefix(example.Config, "# "+example.Title), "begin the file with a comment, its title: %s", example.Config)
		assert.False(t, titles[example.Title], "two are called %q", example.Title)
		titles[example.Title] = true
	}
	assert.Greater(t, len(titles), 1)
}

// TestPage builds the page, serves it and uses it as people do.
func TestPage(t *testing.T) {
	t.Parallel()
	chrome := startBrowser(t)
	dir := t.TempDir()
	require.NoError(t, build(dir))
	packed, err := os.Stat(filepath.Join(dir, "garnix2gha.wasm.gzip"))
	require.NoError(t, err)
	t.Logf("the converter has %d bytes, compressed", packed.Size())
	assert.Less(t, packed.Size(), int64(4_000_000))

	var lock sync.Mutex
	var asked []string
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lock.Lock()
		asked = append(asked, r.Method+" "+r.RequestURI)
		lock.Unlock()
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	visit := func(t *testing.T, width, height int) *tab {
		page := chrome.open(t, server.URL, width, height, "")
		page.until(t, converted)
		return page
	}

	t.Run("what is shown is what the generator writes", func(t *testing.T) {
		page := visit(t, 1280, 900)
		t.Logf("the first result came after %.0f ms", eval[float64](t, page, "performance.now()"))
		shown := map[string]string{}
		for _, file := range eval[[][2]string](t, page, `[...document.querySelectorAll("[role=tab]")].map((tab) => {
			tab.click();
			return [document.getElementById("path").textContent, document.getElementById("text").textContent];
		})`) {
			shown[file[0]] = file[1]
		}
		assert.Contains(t, shown["report.md"], "# From garnix to GitHub Actions")
		delete(shown, "report.md")
		assert.Equal(t, generated(t, shown), shown)
	})

	t.Run("typing converts, and a warning leads to its line", func(t *testing.T) {
		page := visit(t, 1280, 900)
		page.fill(t, "config", "builds:\n  include:\n    - packages.x86_64-linux.a\n    - package.x86_64-linux.b\n    - checks.x86_64-linux.<i>c\n")
		page.until(t, `document.querySelector("#findings .warning")`)
		assert.Equal(t, "Converted: 2 targets. 1 warning.", eval[string](t, page, `document.getElementById("summary").textContent`))
		assert.Equal(t, "", eval[string](t, page, `document.getElementById("example").value`), "it is the reader's own file now")
		assert.Contains(t, eval[string](t, page, `document.getElementById("findings").innerText`), "did you mean \"packages.x86_64-linux.b\"?")
		assert.Contains(t, eval[string](t, page, `document.getElementById("rows").innerText`), "checks.x86_64-linux.<i>c", "text stays text")

		eval[any](t, page, `document.querySelector("#findings button").click()`)
		assert.Equal(t, "garnix.yaml:4", eval[string](t, page, `document.querySelector("#findings button").textContent`))
		assert.Equal(t, "    - package.x86_64-linux.b", eval[string](t, page, `getSelection().toString()`))
		assert.Equal(t, "config", eval[string](t, page, "document.activeElement.id"))

		eval[any](t, page, `(() => { const lock = document.getElementById("lock"); lock.value = "\n{"; lock.dispatchEvent(new Event("input")); })()`)
		page.until(t, `document.querySelector("#findings button").textContent === ".github/garnix2gha/lock.json:2"`)
		eval[any](t, page, `document.querySelector("#findings button").click()`)
		assert.Equal(t, "lock", eval[string](t, page, "document.activeElement.id"), "the folded part opens")
		page.fill(t, "lock", " ")

		page.fill(t, "config", "builds: 1\n")
		page.until(t, `document.querySelector("#findings .error button").textContent === "garnix.yaml:1"`)
		assert.Equal(t, "Not converted: 1 error.", eval[string](t, page, `document.getElementById("summary").textContent`))
		assert.Equal(t, "true", eval[string](t, page, `document.getElementById("config").getAttribute("aria-invalid")`))
		assert.True(t, eval[bool](t, page, `document.getElementById("files").hidden && document.getElementById("targets").hidden`))

		page.fill(t, "cache", "No Name")
		page.until(t, `document.querySelector("#findings button").textContent === "cache name"`)
		assert.Equal(t, "true", eval[string](t, page, `document.getElementById("cache").getAttribute("aria-invalid")`))
	})

	t.Run("an example keeps what was typed", func(t *testing.T) {
		page := visit(t, 1280, 900)
		page.fill(t, "config", "builds: []\n")
		choose(t, page, "4")
		page.until(t, `document.getElementById("rows").innerText.includes("nixosConfigurations.web")`)
		choose(t, page, "")
		page.until(t, `document.getElementById("summary").textContent.startsWith("The configuration selects nothing")`)
		assert.Equal(t, []string{"builds: []\n", ""}, eval[[]string](t, page, `["config", "lock"].map((id) => document.getElementById(id).value)`))
	})

	t.Run("everything can be reached and left by keyboard", func(t *testing.T) {
		page := visit(t, 1280, 900)
		var order []string
		for range 40 {
			page.press(t, "Tab")
			at := eval[string](t, page, `document.activeElement === document.body ? "" : document.activeElement.id || document.activeElement.className || document.activeElement.tagName`)
			if at == "" {
				break
			}
			require.True(t, eval[bool](t, page, `getComputedStyle(document.activeElement).outlineStyle !== "none"`), "the focus shows on %s", at)
			if at != "link" {
				order = append(order, at)
			}
		}
		assert.Equal(t, []string{"example", "config", "cache", "SUMMARY", "scroll", "archive", "tab-0", "copy", "download", "text"}, order)

		shown := func() string {
			return eval[string](t, page, `document.activeElement.textContent+" "+document.getElementById("path").textContent`)
		}
		eval[any](t, page, `document.getElementById("tab-0").focus()`)
		for _, step := range []struct{ key, shows string }{
			{"ArrowDown", "cache-only.yml .github/workflows/cache-only.yml"},
			{"ArrowDown", "targets.json .github/garnix2gha/targets.json"},
			{"Home", "nix-build-cache.yml .github/workflows/nix-build-cache.yml"},
			{"ArrowUp", "web.py .github/garnix2gha/ci/web.py"},
			{"Home", "nix-build-cache.yml .github/workflows/nix-build-cache.yml"},
			{"End", "web.py .github/garnix2gha/ci/web.py"},
		} {
			page.press(t, step.key)
			assert.Equal(t, step.shows, shown(), step.key)
			assert.Equal(t, 1, eval[int](t, page, `document.querySelectorAll("[role=tab][aria-selected=true][tabindex='0']").length`))
		}
	})

	t.Run("copying", func(t *testing.T) {
		page := visit(t, 1280, 900)
		page.call(t, "", "Browser.grantPermissions", fields{"browserContextId": page.context, "permissions": []string{"clipboardReadWrite", "clipboardSanitizedWrite"}}, nil)
		eval[any](t, page, `document.getElementById("copy").focus()`)
		page.press(t, "Enter")
		page.until(t, `document.getElementById("done").textContent === "Copied .github/workflows/nix-build-cache.yml."`)
		assert.Equal(t, eval[string](t, page, `document.getElementById("text").textContent`), eval[string](t, page, "navigator.clipboard.readText()"))
	})

	t.Run("what is downloaded is what the program writes", func(t *testing.T) {
		page := visit(t, 1280, 900)
		config, lock := mustRead(t, "examples/4-locked.yaml"), mustRead(t, "examples/4-locked.lock.json")
		eval[any](t, page, `document.getElementById("more").open = true`)
		page.fill(t, "config", config)
		page.fill(t, "lock", lock)
		page.fill(t, "cache", "octo")
		page.until(t, `document.getElementById("tabs").innerText.includes("config.yaml") && document.getElementById("rows").innerText.includes("nixosConfigurations.web")`)

		got := t.TempDir()
		page.call(t, "", "Browser.setDownloadBehavior", fields{"behavior": "allow", "browserContextId": page.context, "downloadPath": got}, nil)
		eval[any](t, page, `document.getElementById("download").click()`)
		eval[any](t, page, `document.getElementById("archive").click()`)
		assert.Eventually(t, func() bool {
			found, err := filepath.Glob(filepath.Join(got, "*[^d]"))
			return err == nil && len(found) == 2
		}, 30*time.Second, 20*time.Millisecond)
		assert.Equal(t, eval[string](t, page, `document.getElementById("text").textContent`), mustRead(t, filepath.Join(got, "nix-build-cache.yml")))

		repository := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(repository, ".github/garnix2gha"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(repository, "garnix.yaml"), []byte(config), 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(repository, ".github/garnix2gha/lock.json"), []byte(lock), 0o644))
		program := filepath.Join(t.TempDir(), "garnix2gha")
		out, err := exec.Command("go", "build", "-o", program, "../garnix2gha").CombinedOutput()
		require.NoError(t, err, "%s", out)
		for _, words := range [][]string{{"init", "--cache", "octo"}, {"generate"}} {
			out, err := exec.Command(program, append([]string{"-C", repository}, words...)...).CombinedOutput()
			require.NoError(t, err, "%s", out)
		}
		want := map[string]string{}
		require.NoError(t, filepath.WalkDir(filepath.Join(repository, ".github"), func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				name, _ := filepath.Rel(repository, path)
				want[name] = mustRead(t, path)
			}
			return err
		}))
		assert.Equal(t, want, unzipped(t, filepath.Join(got, "garnix2gha.zip")))
	})

	t.Run("on a phone and on a desk, light and dark", func(t *testing.T) {
		for _, view := range []struct {
			name          string
			width, height int
		}{{"phone", 360, 740}, {"desk", 1280, 900}} {
			page := visit(t, view.width, view.height)
			backgrounds := map[string]string{}
			for _, example := range []string{"0", "2", "3", "5"} {
				eval[any](t, page, `document.getElementById("summary").textContent = ""`)
				choose(t, page, example)
				page.until(t, `document.getElementById("summary").textContent !== ""`)
				assert.True(t, eval[bool](t, page, "document.documentElement.scrollWidth === document.documentElement.clientWidth"), "nothing is wider than the window")
				assert.Equal(t, view.width, eval[int](t, page, "innerWidth"), "which is not zoomed out")
				assert.Empty(t, eval[[]string](t, page, small), "too small for a finger")
				for _, scheme := range []string{"light", "dark"} {
					page.do(t, "Emulation.setEmulatedMedia", fields{"features": []fields{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
					backgrounds[scheme] = eval[string](t, page, "getComputedStyle(document.body).backgroundColor")
					assert.Empty(t, eval[[]string](t, page, faint), "%s: text that is hard to read", scheme)
					page.screenshot(t, strings.Join([]string{view.name, scheme, example}, "-"))
				}
			}
			assert.NotEqual(t, backgrounds["light"], backgrounds["dark"])
		}
	})

	t.Run("a screen reader is told what everything is", func(t *testing.T) {
		page := visit(t, 1280, 900)
		type value struct{ Value any }
		var tree struct {
			Nodes []struct {
				Ignored    bool
				Role, Name value
				Properties []struct {
					Name  string
					Value value
				}
			}
		}
		page.do(t, "Accessibility.getFullAXTree", nil, &tree)
		named := map[any][]any{}
		for _, node := range tree.Nodes {
			if node.Ignored {
				continue
			}
			named[node.Role.Value] = append(named[node.Role.Value], node.Name.Value)
			for _, property := range node.Properties {
				if property.Name == "focusable" && property.Value.Value == true && node.Role.Value != "RootWebArea" {
					assert.NotEmpty(t, node.Name.Value, "a %v without a name", node.Role.Value)
				}
			}
		}
		assert.Len(t, named["main"], 1)
		assert.Len(t, named["banner"], 1)
		assert.Len(t, named["status"], 2)
		assert.Equal(t, []any{"Your configuration", "What becomes of it", "The files", "How to go on", "Built and run"}, named["region"])
		assert.Equal(t, []any{"garnix.yaml", "Name of your Cachix cache (optional)"}, named["textbox"])
		assert.Equal(t, []any{"Show"}, named["combobox"])
		assert.Equal(t, []any{"The files"}, named["tablist"])
		assert.Equal(t, []any{"nix-build-cache.yml"}, named["tabpanel"])
		assert.Contains(t, named["tab"], "targets.json")
		assert.Equal(t, []any{"Output", "System", "When"}, named["columnheader"])
	})

	t.Run("a conversion without end is stopped, and the next one works", func(t *testing.T) {
		page := chrome.open(t, server.URL, 1280, 900, `
			// The first two messages are the program and a request: that request is lost.
			const post = Worker.prototype.postMessage, wait = setTimeout;
			let sent = 0;
			Worker.prototype.postMessage = function (message) { if (sent++ !== 1) post.call(this, message); };
			window.setTimeout = (act, after) => wait(act, after === 30_000 && sent === 1 ? 50 : after);`)
		page.until(t, `document.getElementById("summary").textContent.startsWith("The conversion took more than 30 seconds")`)
		assert.True(t, eval[bool](t, page, `document.getElementById("files").hidden`))
		page.fill(t, "config", "builds: {include: [packages.x86_64-linux.a]}")
		page.until(t, converted)
	})

	t.Run("nothing leaves the page", func(t *testing.T) {
		var contacted bool
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			contacted = true
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}))
		page := visit(t, 1280, 900)
		assert.Equal(t, "refused", eval[string](t, page, `fetch("`+other.URL+`").then(() => "sent", () => "refused")`))
		assert.Equal(t, "refused", eval[string](t, page, `new Promise((done) => {
			const text = "fetch('`+other.URL+`').then(() => postMessage('sent'), () => postMessage('refused'))";
			new Worker(URL.createObjectURL(new Blob([text]))).onmessage = (event) => done(event.data);
		})`), "a worker like the page's")
		other.Close()
		assert.False(t, contacted)

		lock.Lock()
		defer lock.Unlock()
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		allowed := []string{"GET /"}
		for _, entry := range entries {
			allowed = append(allowed, "GET /"+entry.Name())
		}
		assert.Subset(t, allowed, asked)
	})
}

// choose picks an entry of the menu of examples.
func choose(t *testing.T, page *tab, value string) {
	t.Helper()
	eval[any](t, page, `(() => {
		const menu = document.getElementById("example");
		menu.value = "`+value+`";
		menu.dispatchEvent(new Event("change"));
	})()`)
}

// generated renders the README's example as the program does, with the version that a shown targets.json names.
func generated(t *testing.T, shown map[string]string) map[string]string {
	t.Helper()
	var manifest struct{ Generator string }
	require.NoError(t, json.Unmarshal([]byte(shown[".github/garnix2gha/targets.json"]), &manifest))
	result, err := generator.Generate(generator.Input{
		Config:    generator.Source{Path: "garnix.yaml", Content: []byte(mustRead(t, "../../golden/example/garnix.yaml"))},
		Settings:  generator.Source{Path: ".github/garnix2gha/config.yaml"},
		Lock:      generator.Source{Path: ".github/garnix2gha/lock.json"},
		Overlay:   generator.Source{Path: ".github/garnix2gha/overlay.libsonnet"},
		Templates: templates.FS,
		Version:   manifest.Generator,
	})
	require.NoError(t, err)
	files := map[string]string{}
	for _, file := range result.Files {
		files[file.Path] = string(file.Data)
	}
	return files
}

func mustRead(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(content)
}

func unzipped(t *testing.T, name string) map[string]string {
	t.Helper()
	archive, err := zip.OpenReader(name)
	require.NoError(t, err)
	defer archive.Close()
	files := map[string]string{}
	for _, file := range archive.File {
		content, err := file.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(content)
		require.NoError(t, err)
		files[file.Name] = string(text)
	}
	return files
}

// faint lists texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3).
const faint = `(() => {
	const parse = (color) => color.match(/[\d.]+/g).map(Number);
	const light = (color) => parse(color).slice(0, 3).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (element) => {
		for (; element; element = element.parentElement) {
			const color = getComputedStyle(element).backgroundColor;
			if (parse(color)[3] !== 0) return color;
		}
	};
	const found = [];
	for (const element of document.body.querySelectorAll("*")) {
		const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()) || element.matches("input, textarea, select");
		if (!own || !element.checkVisibility()) continue;
		const [low, high] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => a - b);
		const ratio = (high + 0.05) / (low + 0.05);
		if (ratio < 4.5) found.push(ratio.toFixed(2) + " " + element.outerHTML.slice(0, 80));
	}
	return found;
})()`

// small lists what can be pressed and is less than 24 pixels high or wide (WCAG 2.2, 2.5.8).
const small = `[...document.querySelectorAll("button, input, select, textarea, summary")].filter((element) => {
	const box = element.getBoundingClientRect();
	return element.checkVisibility() && (box.width < 24 || box.height < 24);
}).map((element) => element.outerHTML.slice(0, 80))`
