# Stands in for nixpkgs: the names that flake.nix takes from it, for every system. What is made for this machine can be
# built, with the machine's own go and its modules; buildGoModule goes through the phases of the real one.
{
  outputs =
    { self }:
    let
      lib = {
        genAttrs =
          names: value:
          builtins.listToAttrs (
            map (name: {
              inherit name;
              value = value name;
            }) names
          );
        getExe = package: "${package}/bin/${package.meta.mainProgram}";
        optionalString = condition: text: if condition then text else "";
        licenses.mit.spdxId = "MIT";
      };
      packages =
        system:
        let
          derive =
            name: script: attrs:
            derivation (
              {
                inherit name system;
                builder = "/bin/bash";
                args = [
                  "-euc"
                  # Else the last command replaces the shell, and nix kills it as soon as it closes its output.
                  "${script}\nexit 0"
                ];
                PATH = "@PATH@";
                GOMODCACHE = "@GOMODCACHE@";
                GOCACHE = "@GOCACHE@";
                GOPROXY = "off";
                GOTOOLCHAIN = "local";
              }
              // attrs
            );
          pkgs = tools // {
            inherit lib;
            callPackage = function: attrs: function (builtins.intersectAttrs (builtins.functionArgs function) pkgs // attrs);
            stdenv = {
              buildPlatform.canExecute = host: host == system;
              hostPlatform = system;
            };
            installShellFiles = derive "install-shell-files" "echo >$out" { };
            versionCheckHook = derive "version-check-hook" "echo >$out" { };
            nixfmt-tree = derive "nixfmt-tree" "echo >$out" { };
            mkShell = { packages }: derive "shell" "echo $packages >$out" { inherit packages; };
            runCommand =
              name:
              { nativeBuildInputs }:
              script:
              derive name "for input in $inputs; do PATH=$input/bin:$PATH; done; ${script}" { inputs = nativeBuildInputs; };
            buildGoModule =
              {
                pname,
                version,
                src,
                vendorHash,
                subPackages,
                env,
                ldflags,
                doCheck,
                nativeBuildInputs,
                postInstall,
                doInstallCheck,
                nativeInstallCheckInputs,
                meta,
              }:
              assert nativeBuildInputs == [ pkgs.installShellFiles ];
              assert doInstallCheck && nativeInstallCheckInputs == [ pkgs.versionCheckHook ];
              assert !doCheck && meta.license == lib.licenses.mit;
              let
                unpack = "cp -r $src source; chmod -R u+w source; cd source; export HOME=$PWD;";
                goModules =
                  derive "${pname}-go-modules" ''
                    ${unpack}
                    go mod vendor
                    cp -r vendor $out
                  '' {
                    inherit src;
                    outputHashMode = "recursive";
                    outputHash = vendorHash;
                    outputHashAlgo = null;
                  };
                build = ''
                  ${unpack}
                  cp -r ${goModules} vendor
                  export GOPATH=$PWD/go
                  for package in $subPackages; do
                    GOFLAGS="-mod=vendor -trimpath -buildvcs=false" go install -ldflags "$ldflags" ./$package
                  done
                  mkdir $out
                  cp -r go/bin $out
                  installManPage() { install -D -t $out/share/man/man1 "$@"; }
                  installShellCompletion() {
                    install -D $1 $out/share/bash-completion/completions/$1
                    install -D $2 $out/share/fish/vendor_completions.d/$2
                    install -D $3 $out/share/zsh/site-functions/_''${3%.zsh}
                  }
                  ${postInstall}
                  $out/bin/${meta.mainProgram} --version | grep -F "$version"
                '';
              in
              derive "${pname}-${version}" build (
                {
                  inherit
                    version
                    src
                    subPackages
                    ldflags
                    ;
                }
                // env
              )
              // {
                inherit meta;
              };
          };
          # Only named, never run.
          tools = lib.genAttrs [
            "act"
            "curl"
            "git"
            "go"
            "groff"
            "jq"
            "nodejs"
            "pre-commit"
            "python3"
            "ruff"
            "shellcheck"
            "zizmor"
          ] (name: derive name "echo >$out" { });
        in
        pkgs;
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ] packages;
    };
}
