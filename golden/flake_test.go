package golden_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// flakeNix is a nix that evaluates our flake against the stand-in for nixpkgs.
type flakeNix struct {
	t       *testing.T
	root    string // where another system with another nix is installed; "" for this one
	dir     string // of the flake
	nixpkgs string // the stand-in's folder
	home    string
}

func newFlakeNix(t *testing.T, root string) flakeNix {
	t.Helper()
	needTools(t, "nix", "go")
	n := flakeNix{t: t, root: root, dir: checkout(t), nixpkgs: t.TempDir(), home: t.TempDir()}
	text, err := os.ReadFile("testdata/standins/nixpkgs/flake.nix")
	require.NoError(t, err)
	text = []byte(strings.NewReplacer("@PATH@", os.Getenv("PATH"), "@GOMODCACHE@", goEnv(t, "GOMODCACHE"), "@GOCACHE@", goEnv(t, "GOCACHE")).Replace(string(text)))
	require.NoError(t, os.WriteFile(filepath.Join(n.nixpkgs, "flake.nix"), text, 0o644))
	return n
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

// run runs a command of nix on the flake with the stand-in, and returns what it prints.
func (n flakeNix) run(command string, args ...string) string {
	n.t.Helper()
	words := 1
	if command == "flake" {
		words = 2 // its own command
	}
	args = append([]string{command}, args...)
	return n.locked(slices.Concat(args[:words], []string{"--override-input", "nixpkgs", "path:" + n.nixpkgs}, args[words:])...)
}

// locked runs a command of nix with the inputs of the lock file.
func (n flakeNix) locked(args ...string) string {
	n.t.Helper()
	args = append([]string{"nix"}, args...)
	if n.root != "" {
		// The other system sees the temporary folders under their own names.
		const enter = `mount -t proc proc "$1/proc" && mkdir -p "$1$2" && mount --rbind "$2" "$1$2" && root=$1 dir=$3 && shift 3 && exec chroot "$root" env --chdir="$dir" "$@"`
		args = append([]string{"unshare", "--mount", "--fork", "sh", "-euc", enter, "sh", n.root, os.TempDir(), n.dir}, args...)
	}
	command := exec.Command(args[0], args[1:]...)
	command.Dir = n.dir
	command.Env = []string{"HOME=" + n.home, "PATH=" + os.Getenv("PATH"),
		"NIX_CONFIG=experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\nsubstituters =\n"}
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	require.NoError(n.t, command.Run(), "%s", &stderr)
	return stdout.String()
}

// TestVendorHash holds flake.nix to the modules in use: nix will make of them what "go mod vendor" makes here. With
// -update it writes the new hash.
func TestVendorHash(t *testing.T) {
	t.Parallel()
	needTools(t, "nix", "go")
	hash, err := exec.Command("nix", "--extra-experimental-features", "nix-command", "hash", "path", vendored(t)).Output()
	require.NoError(t, err)
	want := `vendorHash = "` + strings.TrimSpace(string(hash)) + `";`

	flake, err := os.ReadFile("../flake.nix")
	require.NoError(t, err)
	written := regexp.MustCompile(`vendorHash = ".*";`)
	require.Len(t, written.FindAll(flake, -1), 1)
	if *update {
		require.NoError(t, os.WriteFile("../flake.nix", written.ReplaceAll(flake, []byte(want)), 0o644))
		return
	}
	assert.Equal(t, want, string(written.Find(flake)), "the modules in use have changed; write the new hash with: go test ./golden -run TestVendorHash -update")
}

// vendored returns a folder with the modules of every system.
func vendored(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "vendor")
	command := exec.Command("go", "mod", "vendor", "-o", dir)
	command.Dir = ".."
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

func TestFlakeEvaluates(t *testing.T) {
	t.Parallel()
	roots := map[string]string{"this nix": "", "newer nix": os.Getenv("GARNIX2GHA_TRIXIE")}
	for name, root := range roots {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "newer nix" {
				if root == "" && os.Getenv("CI") == "true" {
					t.Fatal("CI must have a root made by .ci/trixie, named by GARNIX2GHA_TRIXIE")
				}
				if root == "" {
					t.Skip("GARNIX2GHA_TRIXIE names no root made by .ci/trixie")
				}
				if os.Getuid() != 0 {
					t.Skip("chroot needs root")
				}
			}
			n := newFlakeNix(t, root)
			t.Run("every output is what its name promises", func(t *testing.T) {
				n.t = t
				n.run("flake", "check", "--no-build")
				// What nix eval --json cannot show otherwise; a derivation becomes its system and name.
				const shape = `systems: let show = value: if value ? drvPath then [ value.system value.name ] else if value ? type then value.type else builtins.mapAttrs (_: show) value; in show systems`
				version := regexp.MustCompile(`garnix2gha-0\.0\.0-\d{14}-[^"]+`)
				for output, want := range map[string]string{
					"packages":  `{"default":["SYSTEM","PACKAGE"],"garnix2gha":["SYSTEM","PACKAGE"]}`,
					"apps":      `{"default":"app"}`,
					"checks":    `{"package":["SYSTEM","PACKAGE"],"example":["SYSTEM","garnix2gha-example"]}`,
					"devShells": `{"default":["SYSTEM","shell"]}`,
					"formatter": `["SYSTEM","nixfmt-tree"]`,
				} {
					var got map[string]json.RawMessage
					require.NoError(t, json.Unmarshal([]byte(n.run("eval", "--json", ".#"+output, "--apply", shape)), &got))
					assert.Len(t, got, 4, output)
					for _, system := range []string{"x86_64-linux", "aarch64-linux", "x86_64-darwin", "aarch64-darwin"} {
						text := version.ReplaceAllString(string(got[system]), "PACKAGE")
						assert.JSONEq(t, strings.ReplaceAll(want, "SYSTEM", system), text, output)
					}
				}
			})
			t.Run("the overlay gives the package of the set it is laid on", func(t *testing.T) {
				n.t = t
				const overlaid = `overlay: (overlay { callPackage = f: _: builtins.attrNames (builtins.functionArgs f); } { }).garnix2gha`
				assert.JSONEq(t, `["buildGoModule","installShellFiles","lib","stdenv","versionCheckHook"]`,
					n.run("eval", "--json", ".#overlays.default", "--apply", overlaid))
			})
			t.Run("the lock file is whole", func(t *testing.T) {
				n.t = t
				var metadata struct {
					Locks struct {
						Nodes map[string]struct{ Locked map[string]any }
					}
				}
				// Without the network this fails if the lock does not hold what flake.nix wants.
				require.NoError(t, json.Unmarshal([]byte(n.locked("flake", "metadata", "--json", "--no-update-lock-file")), &metadata))
				require.Contains(t, metadata.Locks.Nodes, "nixpkgs")
				locked := metadata.Locks.Nodes["nixpkgs"].Locked
				assert.Regexp(t, `^[0-9a-f]{40}$`, locked["rev"])
				assert.Regexp(t, `^sha256-[A-Za-z0-9+/]{43}=$`, locked["narHash"])
				assert.NotZero(t, locked["lastModified"])
			})
		})
	}
}

// TestFlakeBuilds builds the package as the flake says, with the machine's go, and runs it by nix.
func TestFlakeBuilds(t *testing.T) {
	t.Parallel()
	n := newFlakeNix(t, "")
	vendored(t) // so that the build finds every module on this machine
	// An input that the command line overrides would count as a change.
	flake := filepath.Join(n.dir, "flake.nix")
	text := strings.Replace(string(mustRead(t, flake)), "github:NixOS/nixpkgs/nixos-26.05", "path:"+n.nixpkgs, 1)
	require.NoError(t, os.WriteFile(flake, []byte(text), 0o644))
	n.locked("flake", "lock")
	commitAll(t, n.dir)

	var built []struct{ Outputs struct{ Out string } }
	require.NoError(t, json.Unmarshal([]byte(n.locked("build", "--json", "--no-link")), &built))
	require.Len(t, built, 1)
	out := built[0].Outputs.Out
	for _, file := range []string{
		"share/man/man1/garnix2gha.1", "share/man/man1/garnix2gha-cache-verify.1", "share/bash-completion/completions/garnix2gha.bash",
		"share/fish/vendor_completions.d/garnix2gha.fish", "share/zsh/site-functions/_garnix2gha",
	} {
		info, err := os.Stat(filepath.Join(out, file))
		if assert.NoError(t, err) {
			assert.NotZero(t, info.Size(), file)
		}
	}
	report := n.locked("run", ".", "--", "-C", "golden/example", "report")
	assert.Contains(t, report, "garnix.yaml")

	// The go command, which can read git, gives a commit the same name.
	program := filepath.Join(t.TempDir(), "garnix2gha")
	build := exec.Command("go", "build", "-buildvcs=true", "-o", program, "./cmd/garnix2gha")
	build.Dir = n.dir
	messages, err := build.CombinedOutput()
	require.NoError(t, err, "%s", messages)
	want, err := exec.Command(program, "--version").Output()
	require.NoError(t, err)
	assert.Regexp(t, `^garnix2gha v0\.0\.0-\d{14}-[0-9a-f]{12} \(go`, string(want))
	got, err := exec.Command(filepath.Join(out, "bin/garnix2gha"), "--version").Output()
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))

	// The version says that something was changed since.
	require.NoError(t, os.WriteFile(flake, []byte(text+"\n"), 0o644))
	name := n.locked("eval", "--raw", ".#packages.x86_64-linux.default.name")
	assert.Regexp(t, `^garnix2gha-0\.0\.0-\d{14}-\w+\+dirty$`, name)
}
