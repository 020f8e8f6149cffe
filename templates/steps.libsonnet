// The steps that jobs are made of.
local temp = '${{ runner.temp }}/garnix2gha';

{
  checkout(common, ref=null):: {
    name: 'Check out the commit',
    uses: common.uses.checkout,
    with: {
      [if ref != null then 'ref']: ref,
      '//fetch-depth': 'revCount, and old Nix refuses a shallow clone',
      'fetch-depth': 0,
      'persist-credentials': false,
    },
  },

  // The commit that garnix built: a pull request's head, not its merge.
  head(common):: self.checkout(common, '${{ github.event.pull_request.head.sha || github.sha }}'),

  // The root's files come along.
  programs(common):: {
    '//name': "Those of this file's own commit: a pull request's head may be older.",
    name: 'Check out the programs',
    uses: common.uses.checkout,
    with: { path: '.garnix2gha', 'sparse-checkout': common.sparse, 'persist-credentials': false },
  },

  nix(common):: { name: 'Install Nix', uses: common.uses.nix, with: common.nix },

  keep(common, what, name, path):: {
    name: 'Keep the %s' % what,
    uses: common.uses.upload,
    with: { name: name, path: '%s/%s' % [temp, path], overwrite: true },
  },

  fetchPlan(common):: {
    name: 'Fetch the plan',
    uses: common.uses.download,
    with: { name: 'garnix2gha-plan', path: temp + '/plan' },
  },

  fetchResults(common):: {
    name: 'Fetch the results',
    uses: common.uses.download,
    with: { pattern: 'garnix2gha-result-*', path: temp + '/results' },
  },

  // A step that calls a program, which lies where it was checked out or came with the plan. It takes the place of the
  // shell, which alone is signalled when a run is cancelled, and would not pass that on.
  local call(dir) = function(name, command, env={}) {
    name: name,
    [if env != {} then 'env']: env,
    run: 'exec python3 -IBu %s %s' % [dir, command],
  },
  checkedOut:: call('.garnix2gha/.github/garnix2gha/ci'),
  committed:: call('.github/garnix2gha/ci'),
  fetched:: call('"$RUNNER_TEMP/garnix2gha/plan/ci"'),

  // What reads the cache: its name where a variable holds it, and the token of a private one. Never on a pull request,
  // whose code could take the token.
  reading(common):: {
    [if common.store.variable != '' then 'CACHE_NAME']: '${{ vars.%s }}' % common.store.variable,
    [if common.store.read != '' then 'READ_TOKEN']: "${{ github.event_name != 'pull_request' && secrets.%s || '' }}" % common.store.read,
  },

  // What writes to the cache, only in a run that pushes. The events are a second barrier beside the plan's decision.
  pushing(common):: {
    [variable]: '${{ %s }}' % std.join(' &&\n    ', [
      "needs.plan.outputs.push == 'true'",
      "github.event_name != 'pull_request' && github.event_name != 'merge_group'",
      "secrets.%s || ''" % common.store.push[variable],
    ])
    for variable in std.objectFields(common.store.push)
  },

  canPush(common):: {
    local names = [common.store.push[variable] for variable in std.objectFields(common.store.push)],
    CAN_PUSH: if names == [] then 'true' else '${{ %s }}' % std.join(' && ', ["secrets.%s != ''" % name for name in names]),
  },
}
