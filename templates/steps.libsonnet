// The steps that jobs are made of.
local work = '${{ runner.temp }}/garnix2gha';

{
  local self_ = self,

  checkout(common, ref):: {
    name: 'Check out the commit',
    uses: common.uses.checkout,
    with: {
      ref: ref,
      // Nix reads the history (revCount), and old versions refuse a shallow clone.
      'fetch-depth': 0,
      'persist-credentials': false,
    },
  },

  nix(common):: {
    name: 'Install Nix',
    uses: common.uses.nix,
    with: common.nix.with,
  },

  freeDisk:: {
    name: 'Free disk space',
    'if': "runner.os == 'Linux'",
    run: importstr 'scripts/free-disk.sh',
  },

  // Puts the cache's client on the path and makes Nix read from the cache. No token: nothing of it stays on disk.
  cachix(common, condition):: {
    name: 'Set up Cachix',
    'if': condition,
    uses: common.uses.cachix,
    with: {
      name: '${{ env.CACHE_NAME }}',
      skipPush: true,
      installCommand: common.store.install,
    } + (if common.store.private then { authToken: self_.trusted(common) } else {}),
  },

  attic(common, condition):: {
    name: 'Install attic',
    'if': condition,
    run: common.store.install,
  },

  // The client the backend needs to push, if it needs one.
  client(common, condition)::
    if common.store.backend == 'cachix' then [self.cachix(common, condition)]
    else if common.store.backend == 'attic' then [self.attic(common, condition)]
    else [],

  evaluate(common, env):: {
    name: 'Evaluate the targets',
    env: {
      FLAKE_DIR: common.flakeDir,
      TARGETS_NIX: importstr 'nix/targets.nix',
    } + env,
    run: importstr 'scripts/evaluate.sh',
  },

  lookup(common, env={}):: {
    name: 'Ask the cache',
    env: {
      UPSTREAMS: common.store.upstreams,
    } + env,
    run: importstr 'scripts/lookup.sh',
  },

  upload(common, name, path):: {
    name: 'Keep %s' % (if name == 'garnix2gha-plan' then 'the plan' else 'the result'),
    'if': '!cancelled()',
    uses: common.uses.upload,
    with: {
      name: name,
      path: work + '/' + path,
      'if-no-files-found': 'ignore',
      overwrite: true,
      'retention-days': 7,
    },
  },

  downloadPlan(common):: {
    name: 'Fetch the plan',
    uses: common.uses.download,
    with: { name: 'garnix2gha-plan', path: work + '/plan' },
  },

  downloadResults(common):: {
    name: 'Fetch the results',
    uses: common.uses.download,
    with: { pattern: 'garnix2gha-result-*', path: work + '/result', 'merge-multiple': true },
  },

  // Where the cache is, for workflow-level env.
  cacheEnv(common):: {
    BACKEND: common.store.backend,
    CACHE_NAME: common.store.name,
    CACHE_URL: common.store.url,
  } + (if common.store.pushUrl != '' then { PUSH_URL: common.store.pushUrl } else {})
    + (if common.store.server != '' then { ATTIC_SERVER: common.store.server } else {}),

  // A private cache is read with the token; never on a pull request, whose code could take it.
  readToken(common)::
    if common.store.private && std.length(std.objectFields(common.store.secrets)) > 0
    then { CACHE_TOKEN: self_.trusted(common) }
    else {},

  trusted(common):: "${{ github.event_name != 'pull_request' && %s || '' }}" % common.store.readSecret,

  script(name, file, env={}, condition=null):: {
    name: name,
    [if condition != null then 'if']: condition,
    [if env != {} then 'env']: env,
    run: file,
  },
}
