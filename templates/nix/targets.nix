# What a flake offers to be built, asked the way garnix asked it. Pure: getFlake of a locked reference, nothing else.
#
#   nix eval --json --expr "$(cat targets.nix)" OP --argstr flake REF --argstr request JSON
#
# flake    locked flake reference (a revision or a narHash)
# request  JSON object, see each OP below. Two keys hold for every OP:
#            search (default true)  look where the nix command line of garnix's x86_64-linux evaluator looked: an
#                                   attribute path P is packages.x86_64-linux.P, else legacyPackages.x86_64-linux.P,
#                                   else P. Off when x86_64-linux is in `skip`.
#            catch  (default true)  answer a throw with state "error"; false lets it through, message and all.
#
# Only throw and assert can be caught. Abort, a missing attribute or a forbidden import from derivation end the process:
# then the caller asks again in smaller parts.
{ flake, request }:
let
  inherit (builtins)
    any attrNames concatMap deepSeq elem elemAt filter fromJSON getContext head isAttrs isList isString length listToAttrs
    map match split tail tryEval unsafeDiscardStringContext;

  req = fromJSON request;
  outputs = (builtins.getFlake flake).outputs;
  catch = req.catch or true;
  skip = req.skip or [ ];
  searching = (req.search or true) && !(elem "x86_64-linux" skip);

  systems = [ "x86_64-linux" "aarch64-darwin" "aarch64-linux" "x86_64-darwin" "i686-linux" ];
  named = [ "homeConfigurations" "darwinConfigurations" "nixosConfigurations" ];
  perSystem = [ "packages" "checks" "devShells" ];
  direct = [ "devShell" "defaultPackage" ];

  # try e: { ok, value }; `value` only if ok.
  try = e:
    if catch then let t = tryEval e; in { ok = t.success; inherit (t) value; }
    else builtins.seq e { ok = true; value = e; };

  # walk value path: { state = "ok"|"missing"|"error"; value }, forcing what it passes and what it finds.
  walk = value: path:
    let
      here = try (if isAttrs value then value else null);
      name = head path;
      next = try (value.${name});
    in
    if path == [ ] then
      let found = try value; in if found.ok then { state = "ok"; inherit (found) value; } else { state = "error"; }
    else if !here.ok then { state = "error"; }
    else if here.value == null || !(value ? ${name}) then { state = "missing"; }
    else if !next.ok then { state = "error"; }
    else walk value.${name} (tail path);

  # The search order. A prefix that throws is passed over, so that a broken packages.x86_64-linux spoils nothing else.
  resolve = path:
    let
      prefixed = family:
        let at = tryEval ((walk outputs [ family "x86_64-linux" (head path) ]).state); in
        if searching && at.success && at.value == "ok"
        then walk outputs ([ family "x86_64-linux" ] ++ path)
        else { state = "missing"; };
      first = candidates:
        if length candidates == 1 || (head candidates).state != "missing" then head candidates else first (tail candidates);
    in
    first [ (prefixed "packages") (prefixed "legacyPackages") (walk outputs path) ];

  # ---- matchers ----
  parts = text: filter isString (split "\\." text);
  dotted = name: length (parts name) > 1;
  # begins matcher path: the first parts of the matcher match the whole of path.
  begins = matcher: path:
    path == [ ] || ((head matcher == "*" || head matcher == head path) && begins (tail matcher) (tail path));
  # A name with a dot is matched by nothing: garnix compared the dotted text part by part.
  matches = path: matcher: length matcher == length path && !(any dotted path) && begins matcher path;

  sections = map
    (s: { branch = s.branch or null; include = map parts (s.include or [ ]); exclude = map parts (s.exclude or [ ]); })
    (req.sections or [ ]);
  # A section without branch counts always; a fork's pull request has no branch, and no branch has an empty name.
  considered = filter (s: s.branch == null || (s.branch != "" && s.branch == (req.branch or null))) sections;
  selects = path: any (s: any (matches path) s.include && !(any (matches path) s.exclude)) considered;

  # What garnix listed: by the includes of every section; branches and excludes do not count here.
  includes = concatMap (s: s.include) sections;
  mayMatch = query: any (m: length m == length query + 1 && begins m query) includes;
  listed = filter (s: !(elem s skip) && (req.only or null == null || s == req.only)) systems;
  queries =
    filter mayMatch (map (f: [ f ]) named)
    ++ filter mayMatch (concatMap (f: map (s: [ f s ]) listed) perSystem)
    ++ filter selects (concatMap (f: map (s: [ f s ]) listed) direct);

  # list one query: what `nix eval --apply builtins.attrNames` told garnix; a Direct one is only probed.
  list = query:
    let
      at = resolve query;
      isDirect = elem (head query) direct;
      names = if isDirect then [ ] else if catch && !(isAttrs at.value) then null else attrNames at.value;
    in
    if at.state != "ok" then { inherit query; inherit (at) state; names = [ ]; }
    else if names == null then { inherit query; state = "error"; names = [ ]; }
    else { inherit query names; state = "ok"; };

  # ---- derivations ----
  built = path:
    if elem (head path) [ "nixosConfigurations" "darwinConfigurations" ] && length path == 2
    then [ "config" "system" "build" "toplevel" ]
    else if head path == "homeConfigurations" && length path == 2 then [ "activationPackage" ]
    else [ ];

  plain = unsafeDiscardStringContext;
  # A content-addressed output has no path before it is built, only a placeholder.
  storePath = text: if match "${builtins.storeDir}/[0-9a-z]{32}-[^/[:space:]]+" text != null then plain text else null;

  facts = d:
    let
      result = {
        drv = plain d.drvPath;
        system = plain d.system;
        outputs = listToAttrs (map
          (o: { name = o; value = storePath "${(if d ? ${o} then d.${o} else d).outPath}"; })
          (d.outputs or [ "out" ]));
      };
    in
    if !(isAttrs d) || (d.type or null) != "derivation" || !(d ? drvPath) || !(d ? system) then { why = "not a derivation"; }
    else if !(isString d.drvPath) || !(isString d.system) || storePath d.drvPath == null then { why = "not a derivation"; }
    else deepSeq result result;

  describe = path:
    let
      at = resolve (path ++ built path);
      target = resolve path;
      found = try (facts at.value);
      error = why: { inherit path why; state = "error"; };
    in
    if at.state == "error" then error "evaluation failed"
    else if at.state == "missing" then
      if target.state == "missing" then { inherit path; state = "missing"; }
      else error "has no ${builtins.concatStringsSep "." (built path)}"
    else if !found.ok then error "evaluation failed"
    else if found.value ? why then error found.value.why
    else { inherit path; state = "ok"; } // found.value;

  # The system of a *Configuration without building its derivation; null if it cannot be had.
  systemOf = path:
    let
      pkgs = (resolve path).value.pkgs or { };
      t = tryEval (pkgs.stdenv.hostPlatform.system or pkgs.system or null);
    in
    { inherit path; system = if t.success && isString t.value then plain t.value else null; };
in
{
  # { "queries": [["packages","x86_64-linux"], ["nixosConfigurations"], ["devShell","x86_64-linux"]] }
  #   -> [{ "query", "state": "ok|missing|error", "names" }]
  list = map list req.queries;

  # { "sections": [{ "branch", "include", "exclude" }], "branch": null|text, "skip": [systems not to list], "only": system to
  # list } -> what would be listed for select, without touching the flake: [query]
  inherit queries;

  # same request -> { "targets": [{ "path" }], "errors": [query], "dotted": [text] }
  select =
    let
      answers = map list queries;
      paths = concatMap (a: if a.state != "ok" then [ ] else if elem (head a.query) direct then [ a.query ] else map (n: a.query ++ [ n ]) a.names) answers;
      # A dotted name would have been selected if its dot were another character.
      undotted = path: map (p: if dotted p then "_" else p) path;
    in
    {
      targets = map (path: { inherit path; }) (filter selects paths);
      errors = map (a: a.query) (filter (a: a.state == "error") answers);
      dotted = map (builtins.concatStringsSep ".") (filter (p: any dotted p && selects (undotted p)) paths);
    };

  # {} -> { "present", "value" }: the flake's own garnix configuration
  config =
    let at = resolve [ "garnix" "config" ]; in
    if at.state == "ok" then { present = true; inherit (at) value; } else { present = false; value = null; };

  # { "paths": [path] } -> for each, in order: { "path", "state": "ok", "system", "drv", "outputs": { name: path|null } },
  # { "path", "state": "missing" } or { "path", "state": "error", "why" }
  describe = map describe req.paths;

  # { "paths": [path of a configuration] } -> [{ "path", "system": text|null }]
  systems = map systemOf req.paths;

  # { "name": text } -> { "state", "program", "context": [store paths], "drv": the only one of them, or null }
  app =
    let
      at = resolve [ "apps" "x86_64-linux" req.name ];
      program = try (if isAttrs at.value && isString (at.value.program or null) then at.value.program else null);
      context = attrNames (getContext program.value);
    in
    if at.state != "ok" then { inherit (at) state; }
    else if !program.ok || program.value == null then { state = "error"; why = "has no program"; }
    else {
      state = "ok";
      program = plain program.value;
      inherit context;
      drv = if length context == 1 then elemAt context 0 else null;
    };
}
