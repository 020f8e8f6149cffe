// What starts a workflow, which of its runs count, and which are ended.
{
  on(triggers):: {
    push: {
      '//branches': 'A merge queue builds its own branches through merge_group.',
      branches: triggers['push-branches'] + ['!gh-readonly-queue/**'],
    },
    [if triggers['pull-requests'] != 'none' then 'pull_request']: { types: ['opened', 'synchronize', 'reopened'] },
    [if triggers['merge-group'] then 'merge_group']: null,
    [if triggers.dispatch then 'workflow_dispatch']: null,
  },

  // The condition of a workflow's first job. A pull request from a branch of this repository is built by its push, save
  // for one that GITHUB_TOKEN opened: what that pushes starts no workflow.
  wanted(triggers):: if triggers['pull-requests'] != 'forks' then {} else {
    '//if': 'The push of a branch here builds its pull request too; one that GITHUB_TOKEN opened had no such push.',
    'if': std.join(' ||\n', [
      "github.event_name != 'pull_request'",
      'github.event.pull_request.head.repo.full_name != github.repository',
      "github.event.pull_request.user.login == 'github-actions[bot]'",
    ]),
  },

  // A run that is not to be ended is a group of its own, because GitHub also drops the waiting runs of a group.
  concurrency(cancel):: {
    [if cancel == 'never' then '//group']: 'No run ends another.',
    group: '${{ github.workflow }}-${{ %sgithub.run_id }}' % {
      'pull-requests': 'github.event.pull_request.number || ',
      branches: "github.event.pull_request.number || github.event_name == 'push' && github.ref_name != github.event.repository.default_branch && github.ref || ",
      never: '',
    }[cancel],
    'cancel-in-progress': if cancel == 'pull-requests' then "${{ github.event_name == 'pull_request' }}" else cancel == 'branches',
  },
}
