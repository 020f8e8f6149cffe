// Nix Build Cache: plan, build on each system's runner, and one check that proves the cache and decides.
local events = import 'events.libsonnet';
local steps = import 'steps.libsonnet';

function(build, common)
  local wanted = events.wanted(common.triggers);
  local always = { '//if': 'Always: a skipped check would count as a green one.' };
  {
    name: common.names['build-workflow'],
    on: events.on(common.triggers),
    permissions: {},
    concurrency: events.concurrency(build.cancel),

    jobs: {
      plan: wanted {
        name: 'Plan',
        'runs-on': common.helper,
        permissions: { contents: 'read' },
        'timeout-minutes': build.minutes.plan,
        outputs: {
          matrix: '${{ steps.plan.outputs.matrix }}',
          push: '${{ steps.plan.outputs.push }}',
        },
        steps: [
          steps.head(common),
          steps.programs(common),
          steps.nix(common) { with+: { '//extra_nix_config': 'What garnix allowed.' } },
          steps.checkedOut('Plan the builds', 'plan', steps.reading(common) + steps.canPush(common)) { id: 'plan' },
          steps.keep(common, 'plan', 'garnix2gha-plan', 'plan'),
        ],
      },

      build: {
        name: 'Build ${{ matrix.name }}',
        needs: 'plan',
        'if': "needs.plan.outputs.matrix != '[]'",
        'runs-on': '${{ matrix.runner }}',
        permissions: { contents: 'read' },
        '//timeout-minutes': '30 of them to push',
        'timeout-minutes': build.minutes.build,
        strategy: {
          'fail-fast': false,
          matrix: { include: "${{ fromJSON(needs.plan.outputs.matrix || '[]') }}" },
        },
        steps: [
          steps.head(common),
          steps.fetchPlan(common),
        ] + (if build.freeDisk then [
               steps.fetched('Free disk space', 'disk') { 'if': "runner.os == 'Linux'" },
             ] else []) + [
          steps.nix(common),
          steps.fetched('Build and push', 'build', { ENTRY: '${{ matrix.id }}' } + steps.reading(common) + steps.pushing(common)),
          steps.keep(common, 'result', 'garnix2gha-result-${{ matrix.id }}', 'result/${{ matrix.id }}.json') { 'if': '!cancelled()' },
        ],
      },

      checks: (if wanted == {} then always {
                 name: common.names.aggregate,
                 'if': 'always()',
               } else always {
                 '//name': 'A skipped job shows this text as it stands, so that no rule takes it for the check.',
                 name: "${{ needs.plan.result != 'skipped' && '%s' || 'Built by its push' }}" % std.strReplace(common.names.aggregate, "'", "''"),
                 'if': "always() && needs.plan.result != 'skipped'",
               }) + {
        needs: ['plan', 'build'],
        'runs-on': common.helper,
        permissions: {},
        'timeout-minutes': build.minutes.verify,
        steps: [
          {
            name: 'Require a plan',
            'if': "needs.plan.result != 'success'",
            run: 'echo "::error title=Checks::there is no plan: see the job Plan" && exit 1',
          },
          steps.fetchPlan(common),
          steps.fetchResults(common),
          steps.fetched('Prove the cache and decide', 'checks', {
            BUILD: '${{ needs.build.result }}',
          } + steps.reading(common)),
        ],
      },

      [if build.statuses then 'statuses']: {
        name: 'Statuses',
        needs: ['plan', 'build'],
        'if': "needs.plan.result == 'success' && (github.event_name != 'pull_request' || github.event.pull_request.head.repo.full_name == github.repository) && !cancelled()",
        'runs-on': common.helper,
        permissions: { '//statuses': 'one per target, as garnix had a check', statuses: 'write' },
        'timeout-minutes': 10,
        steps: [
          steps.fetchPlan(common),
          steps.fetchResults(common),
          steps.fetched('Post one status per target', 'statuses', { GITHUB_TOKEN: '${{ github.token }}' }),
        ],
      },
    },
  }
