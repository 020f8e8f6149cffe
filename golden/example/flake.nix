{
  description = "A flake without inputs, for trying garnix2gha";

  outputs = { self }:
    let
      hello = system: derivation {
        inherit system;
        name = "hello";
        builder = "/bin/sh";
        args = [ "-c" "echo hello from ${system} > $out" ];
      };
    in
    {
      packages.x86_64-linux = { default = hello "x86_64-linux"; broken = throw "not today"; };
      packages.aarch64-darwin.default = hello "aarch64-darwin";
      checks.x86_64-linux.smoke = hello "x86_64-linux";
      devShells.x86_64-linux.default = hello "x86_64-linux";
    };
}
