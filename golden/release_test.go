package golden_test

import (
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const homepage = "https://github.com/octo/tool"

// release runs .ci/release of a checkout and returns the folder that it filled.
func release(t *testing.T, source string, env []string, platforms ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "release")
	script, err := filepath.Abs(filepath.Join(source, ".ci/release"))
	require.NoError(t, err)
	command := exec.Command(script, append([]string{"v1.2.3-test.4", dir}, platforms...)...)
	command.Dir = t.TempDir()
	command.Env = append(append(os.Environ(), "HOMEPAGE="+homepage), env...)
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

// unpacked returns the folder of one platform's archive.
func unpacked(t *testing.T, dir, platform string) string {
	t.Helper()
	into := t.TempDir()
	out, err := exec.Command("tar", "--extract", "--gzip", "--directory", into, "--file", filepath.Join(dir, "garnix2gha-"+platform+".tar.gz")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return into
}

// TestReleaseIsReproducible builds a release twice, the second time somewhere else, in another time zone and language. What
// the compiler makes of one source it promises itself; compiling everything again would take minutes.
func TestReleaseIsReproducible(t *testing.T) {
	t.Parallel()
	needTools(t, "bash", "go", "tar", "sha256sum")
	if runtime.GOOS != "linux" {
		t.Skip("releases are made on Linux")
	}
	own := "linux-" + runtime.GOARCH
	first := release(t, "..", nil, "linux/"+runtime.GOARCH, "darwin/arm64")
	second := release(t, checkout(t), []string{"TZ=Pacific/Auckland", "LANG=C.UTF-8"}, "linux/"+runtime.GOARCH)
	for _, file := range []string{"garnix2gha-" + own + ".tar.gz", "garnix2gha-" + own + ".cdx.json"} {
		assert.Equal(t, mustRead(t, filepath.Join(first, file)), mustRead(t, filepath.Join(second, file)), file)
	}

	sums := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	sums.Dir = first
	out, err := sums.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, platform := range []string{own, "darwin-arm64"} {
		assert.Contains(t, string(out), "garnix2gha-"+platform+".tar.gz: OK")
		assert.Contains(t, string(out), "garnix2gha-"+platform+".cdx.json: OK")
	}

	tree := unpacked(t, first, own)
	program := filepath.Join(tree, "garnix2gha")
	for _, file := range []string{"LICENSE", "man/garnix2gha.1", "man/garnix2gha-check.1", "completions/garnix2gha.bash", "completions/garnix2gha.fish", "completions/garnix2gha.zsh"} {
		assert.FileExists(t, filepath.Join(tree, file))
	}
	version, err := exec.Command(program, "--version").Output()
	require.NoError(t, err)
	assert.Regexp(t, `^garnix2gha v1\.2\.3-test\.4 \(go`, string(version))
	assert.Contains(t, string(mustRead(t, program)), homepage, "codes link to their explanations")
	binary, err := elf.Open(program)
	require.NoError(t, err)
	defer binary.Close()
	for _, header := range binary.Progs {
		assert.NotEqual(t, elf.PT_INTERP, header.Type, "it is static")
	}
	mac, err := macho.Open(filepath.Join(unpacked(t, first, "darwin-arm64"), "garnix2gha"))
	require.NoError(t, err)
	defer mac.Close()
	assert.Equal(t, macho.CpuArm64, mac.Cpu)

	info, err := buildinfo.ReadFile(program)
	require.NoError(t, err)
	for _, setting := range info.Settings {
		assert.NotContains(t, setting.Key, "vcs")
	}
	var bill struct {
		Metadata   struct{ Component struct{ Version string } }
		Components []struct{ Name, Version string }
	}
	require.NoError(t, json.Unmarshal(mustRead(t, filepath.Join(first, "garnix2gha-"+own+".cdx.json")), &bill))
	assert.Equal(t, "v1.2.3-test.4", bill.Metadata.Component.Version)
	listed := map[string]string{}
	for _, component := range bill.Components {
		listed[component.Name] = component.Version
	}
	require.NotEmpty(t, info.Deps)
	for _, module := range info.Deps {
		assert.Equal(t, module.Version, listed[module.Path], module.Path)
	}
}

func TestReleaseWantsAVersion(t *testing.T) {
	t.Parallel()
	needTools(t, "bash")
	dir := filepath.Join(t.TempDir(), "release")
	for _, version := range []string{"1.2.3", "v1.2", "v1.2.3 -X main.version=v9", "main"} {
		out, err := exec.Command("../.ci/release", version, dir).CombinedOutput()
		require.Error(t, err)
		assert.Contains(t, string(out), "is no version like v1.2.3")
		assert.NoDirExists(t, dir)
	}
}

// TestInstallWithGo installs the program from a checkout as the README says.
func TestInstallWithGo(t *testing.T) {
	t.Parallel()
	needTools(t, "go")
	readme := string(mustRead(t, "../README.md"))
	const line = "go install ./cmd/garnix2gha"
	require.Contains(t, readme, "`"+line+"`")
	command := exec.Command("sh", "-c", line)
	command.Dir = checkout(t)
	bin := t.TempDir()
	command.Env = append(os.Environ(), "GOBIN="+bin)
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	version, err := exec.Command(filepath.Join(bin, "garnix2gha"), "version").Output()
	require.NoError(t, err)
	assert.Regexp(t, `^garnix2gha \S+ \(go`, string(version))
}
