// GitHub expressions used in more than one place.
{
  // The commit garnix built: the head of a pull request, not its merge.
  head: '${{ github.event.pull_request.head.sha || github.sha }}',

  isPullRequest: "github.event_name == 'pull_request'",
  isFork: 'github.event.pull_request.head.repo.full_name != github.repository',

  // Whether this event is built at all. The push of a same-repository pull request builds it already; the run that the
  // pull request starts must then neither build again nor show a check that a rule waits for.
  wanted(triggers)::
    if triggers.pullRequests == 'forks'
    then "github.event_name != 'pull_request' || %s" % self.isFork
    else null,

  // The branch that decides which build sections apply; a fork's pull request has none.
  branch(triggers)::
    if triggers.pullRequests == 'all'
    then "${{ github.event_name != 'pull_request' && github.ref_name || github.event.pull_request.head.repo.full_name == github.repository && github.head_ref || '' }}"
    else "${{ github.event_name != 'pull_request' && github.ref_name || '' }}",
  hasBranch(triggers)::
    if triggers.pullRequests == 'all'
    then "${{ github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository || github.event_name != 'pull_request' && github.ref_type == 'branch' }}"
    else "${{ github.event_name != 'pull_request' && github.ref_type == 'branch' }}",

  // A second barrier beside the plan's own decision: no push from these events whatever the plan says.
  mayPush: "needs.plan.outputs.push == 'true' && github.event_name != 'pull_request' && github.event_name != 'merge_group'",

  on(triggers)::
    (if std.length(triggers.push) > 0 then { push: { branches: triggers.push } } else {}) +
    (if triggers.pullRequests != 'none' then { pull_request: { types: ['opened', 'synchronize'] } } else {}) +
    (if triggers.mergeGroup then { merge_group: null } else {}) +
    (if triggers.dispatch then { workflow_dispatch: null } else {}),

  // Only pull requests are cancelled: a cancelled push leaves half of a closure in the cache. Every other run is a
  // group of its own, because GitHub drops waiting runs of a shared group.
  concurrency: {
    group: '${{ github.workflow }}-${{ github.event.pull_request.number || github.run_id }}',
    'cancel-in-progress': "${{ github.event_name == 'pull_request' }}",
  },
}
