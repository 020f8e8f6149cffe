{
  description = "Turn garnix.yaml into GitHub Actions workflows";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      # As the go command names a commit without a tag; a flake is told no tags.
      commit = builtins.substring 0 12 (self.rev or self.dirtyRev or "unknown");
      version = "0.0.0-${self.lastModifiedDate}-${commit}${if self ? rev then "" else "+dirty"}";

      garnix2gha =
        {
          lib,
          stdenv,
          buildGoModule,
          installShellFiles,
          versionCheckHook,
        }:
        buildGoModule {
          pname = "garnix2gha";
          inherit version;
          src = self;

          # After a change of the modules in use: go test ./golden -run TestVendorHash -update
          vendorHash = "sha256-/AagK5TFucvebuP1iCleCEB9SxrO+0d2dxT+RsI/DLc=";

          subPackages = [ "cmd/garnix2gha" ];
          env.CGO_ENABLED = 0;
          ldflags = [
            "-s"
            "-w"
            "-X main.version=v${version}"
          ];

          # The tests want git, nix and a network of their own; .ci/run runs them.
          doCheck = false;

          nativeBuildInputs = [ installShellFiles ];
          postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
            $out/bin/garnix2gha man manual
            installManPage manual/*.1
            for shell in bash fish zsh; do
              $out/bin/garnix2gha completion $shell >garnix2gha.$shell
            done
            installShellCompletion garnix2gha.{bash,fish,zsh}
          '';

          doInstallCheck = true;
          nativeInstallCheckInputs = [ versionCheckHook ];

          meta = {
            description = "Turn garnix.yaml into GitHub Actions workflows";
            license = lib.licenses.mit;
            mainProgram = "garnix2gha";
          };
        };

      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      eachSystem =
        outputs:
        nixpkgs.lib.genAttrs systems (
          system:
          let
            pkgs = nixpkgs.legacyPackages.${system};
          in
          outputs pkgs (pkgs.callPackage garnix2gha { })
        );
    in
    {
      overlays.default = final: prev: { garnix2gha = final.callPackage garnix2gha { }; };

      packages = eachSystem (
        pkgs: package: {
          default = package;
          garnix2gha = package;
        }
      );

      apps = eachSystem (
        pkgs: package: {
          default = {
            type = "app";
            program = pkgs.lib.getExe package;
            meta = { inherit (package.meta) description; };
          };
        }
      );

      checks = eachSystem (
        pkgs: package: {
          inherit package;
          example = pkgs.runCommand "garnix2gha-example" { nativeBuildInputs = [ package ]; } ''
            garnix2gha -C ${./golden/example} generate --dry-run >$out
          '';
        }
      );

      # What the tests call.
      devShells = eachSystem (
        pkgs: package: {
          default = pkgs.mkShell {
            packages = with pkgs; [
              act
              curl
              git
              go
              groff
              jq
              nodejs
              pre-commit
              python3
              ruff
              shellcheck
              zizmor
            ];
          };
        }
      );

      formatter = eachSystem (pkgs: package: pkgs.nixfmt-tree);
    };
}
