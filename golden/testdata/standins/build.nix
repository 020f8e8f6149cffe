# Derivations for scenarios: each notes in a log that its builder ran, and what secrets it could read.
rec {
  make = system: name: script: build system name [ "out" ] script;
  build = system: name: outputs: script: derivation {
    inherit system name outputs;
    builder = "/bin/sh";
    PATH = "@PATH@";
    args = [
      "-c"
      ''
        echo ${name} >>@BUILT@
        pid=$PPID
        while [ "$pid" -gt 1 ]; do
          tr '\000' '\n' </proc/$pid/environ >>@PEEKED@ 2>&1
          pid=$(sed 's/.*) . //; s/ .*//' /proc/$pid/stat)
        done
        ${script}
      ''
    ];
  };
  # Notes nothing, for when there are many.
  quiet = system: name: derivation {
    inherit system name;
    builder = "/bin/sh";
    args = [ "-c" "echo ${name} @NONCE@ >\$out" ];
  };
  # Its output tells it from every other run's.
  ok = system: name: make system name "echo ${name} @NONCE@ >\$out";
  outputs = system: name: outputs:
    build system name outputs (builtins.concatStringsSep "\n" (map (output: "echo ${name} ${output} @NONCE@ >\$${output}") outputs));
  bad = system: name: make system name "echo this is how ${name} fails >&2; exit 3";
}
