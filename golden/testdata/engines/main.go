// Command engines is the yardstick of BenchmarkProcess: a bare go-jsonnet program that renders a plan with the same
// templates and writes the JSON, and nothing else.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-jsonnet"
)

func main() {
	templates, plan := os.Args[1], os.Args[2]
	source, err := os.ReadFile(plan)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	vm := jsonnet.MakeVM()
	vm.TLACode("plan", string(source))
	out, err := vm.EvaluateFile(filepath.Join(templates, "main.jsonnet"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(out)
}
