// Command playground builds a static page that converts a garnix.yaml in the browser, with the generator compiled to
// WebAssembly. It needs Go and a checkout of this repository.
package main

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	serve := flag.Bool("serve", false, "serve the page on this machine until interrupted")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./cmd/playground [-serve] DIR\ncreates the folder DIR and writes the page into it, for any server of static files")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *serve); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func run(dir string, serve bool) error {
	if err := build(dir); err != nil {
		return err
	}
	if !serve {
		fmt.Println("wrote", dir)
		return nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/ shows %s\n", listener.Addr(), dir)
	return http.Serve(listener, http.FileServer(http.Dir(dir)))
}

// build writes the page into dir, over what is there.
func build(dir string) error {
	goroot, root, err := places()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	here := filepath.Join(root, "cmd", "playground")
	pages, err := filepath.Glob(filepath.Join(here, "page", "*"))
	if err != nil {
		return err
	}
	for _, page := range append(pages, filepath.Join(goroot, "lib", "wasm", "wasm_exec.js")) {
		content, err := os.ReadFile(page)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(page)), content, 0o644); err != nil {
			return err
		}
	}
	examples, err := examples(root)
	if err != nil {
		return err
	}
	text, err := json.Marshal(examples)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "examples.json"), text, 0o644); err != nil {
		return err
	}
	return compile(root, filepath.Join(dir, "garnix2gha.wasm.gzip"))
}

// places returns Go's own folder and that of this module.
func places() (goroot, root string, err error) {
	out, err := exec.Command("go", "env", "GOROOT", "GOMOD").Output()
	if err != nil {
		return "", "", fmt.Errorf("ask go for its folders: %w", err)
	}
	goroot, module, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	root = filepath.Dir(module)
	if _, err := os.Stat(filepath.Join(root, "cmd", "playground", "page")); err != nil {
		return "", "", fmt.Errorf("run this in a checkout of garnix2gha: %w", err)
	}
	return goroot, root, nil
}

// compile writes the converter, compressed: the page unpacks it itself, whatever its server can do.
func compile(root, to string) (err error) {
	work, err := os.MkdirTemp("", "playground")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	program := filepath.Join(work, "wasm")
	command := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./cmd/playground/wasm")
	command.Dir = root
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("compile the converter: %w", err)
	}
	source, err := os.Open(program)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, target.Close()) }()
	packed, err := gzip.NewWriterLevel(target, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, err = io.Copy(packed, source)
	return cmp.Or(err, packed.Close())
}

// example is an entry of the page's menu.
type example struct {
	Title  string `json:"title"`
	Config string `json:"config"`
	Lock   string `json:"lock"`
}

// examples reads the example of the README and those of the page. Each begins with a comment, its title; a lock lies
// beside it.
func examples(root string) ([]example, error) {
	files, err := filepath.Glob(filepath.Join(root, "cmd", "playground", "examples", "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []example
	for _, file := range append([]string{filepath.Join(root, "golden", "example", "garnix.yaml")}, files...) {
		config, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		lock, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".lock.json")
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		title, _, _ := strings.Cut(strings.TrimPrefix(string(config), "# "), "\n")
		all = append(all, example{Title: strings.TrimSuffix(title, "."), Config: string(config), Lock: string(lock)})
	}
	return all, nil
}
