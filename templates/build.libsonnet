// Nix Build Cache: plan, build on each system's runner, verify, and one check that decides.
local expr = import 'expressions.libsonnet';
local steps = import 'steps.libsonnet';

function(build, common)
  local wanted = expr.wanted(build.triggers);
  local also(condition) = if wanted == null then condition else '(%s) && %s' % [wanted, condition];
  local run = { EVENT: '${{ github.event_name }}', REF: '${{ github.ref }}' };
  {
    name: build.name,
    on: expr.on(build.triggers),
    permissions: {},
    concurrency: expr.concurrency,
    env: steps.cacheEnv(common),

    jobs: {
      plan: {
        name: 'Plan',
        [if wanted != null then 'if']: wanted,
        'runs-on': common.helper,
        permissions: { contents: 'read' },
        'timeout-minutes': build.minutes.plan,
        outputs: {
          [name]: '${{ steps.plan.outputs.%s }}' % name
          for name in ['matrix', 'push', 'failed', 'blocked', 'cache']
        },
        steps: [
          steps.checkout(common, expr.head),
          steps.nix(common),
          steps.evaluate(common, common.source + {
            BRANCH: expr.branch(build.triggers),
            HAS_BRANCH: expr.hasBranch(build.triggers),
            ALLOW_IFD: 'false',
          }),
          steps.lookup(common, steps.readToken(common)),
          {
            name: 'Plan the builds',
            id: 'plan',
            env: run + {
              FORK_PR: '${{ github.event_name == \'pull_request\' && %s }}' % expr.isFork,
              FORK_REPO: '${{ github.event.repository.fork }}',
              ACTOR: '${{ github.actor }}',
              HAS_TOKEN: common.store.hasToken,
              HEAD_SHA: expr.head,
              PUSH_REFS: build.pushRefs,
              RUNNERS: std.manifestJsonMinified(common.runners),
              GRANULARITY: build.granularity,
              SHARDS: std.manifestJsonMinified(build.shards),
              CONFIG_FILE: build.configFile,
              CONFIG_DIGEST: build.configDigest,
            },
            run: importstr 'scripts/plan.sh',
          },
          steps.upload(common, 'garnix2gha-plan', 'plan/plan.json'),
        ],
      },

      build: {
        name: 'Build ${{ matrix.name }}',
        needs: 'plan',
        'if': "needs.plan.outputs.matrix != '[]'",
        'runs-on': '${{ matrix.runner }}',
        permissions: { contents: 'read' },
        'timeout-minutes': build.minutes.build,
        strategy: {
          'fail-fast': false,
          matrix: { include: "${{ fromJSON(needs.plan.outputs.matrix || '[]') }}" },
        },
        env: { ENTRY: '${{ matrix.id }}' },
        steps: [
          steps.downloadPlan(common),
        ] + (if build.freeDisk then [steps.freeDisk] else []) + [
          steps.checkout(common, expr.head),
          steps.nix(common),
        ] + steps.client(common, "needs.plan.outputs.cache == 'true'") + [
          steps.evaluate(common, { ALLOW_IFD: 'true' }),
          steps.script(
            'Build and push', importstr 'scripts/build.sh', { PUSH: 'true' } + common.store.secrets, expr.mayPush,
          ),
          steps.script(
            'Build', importstr 'scripts/build.sh', { PUSH: 'false' }, '!(%s)' % expr.mayPush,
          ),
          steps.script(
            'Push what was built', importstr 'scripts/push.sh', common.store.secrets, expr.mayPush + ' && !cancelled()',
          ),
          steps.script('Report', importstr 'scripts/report.sh', {}, '!cancelled()'),
          steps.upload(common, 'garnix2gha-result-${{ matrix.id }}', 'result/${{ matrix.id }}.json'),
        ],
      },

      verify: {
        name: 'Verify',
        needs: ['plan', 'build'],
        'if': "needs.plan.result == 'success' && %s && !cancelled()" % expr.mayPush,
        'runs-on': common.helper,
        permissions: {},
        'timeout-minutes': build.minutes.verify,
        steps: [
          steps.downloadPlan(common),
          steps.downloadResults(common),
          steps.lookup(common, { INPUTS: 'plan/plan.json result/*.json' } + steps.readToken(common)),
          steps.script('Verify', importstr 'scripts/verify.sh', { MODE: 'run' }),
        ],
      },

      // The raw text of this name differs from the check's, should GitHub show a skipped job's name unevaluated.
      aggregate: {
        name: if wanted == null then build.aggregate
        else "${{ (%s) && '%s' || 'Built by its push' }}" % [wanted, std.strReplace(build.aggregate, "'", "''")],
        needs: ['plan', 'build', 'verify'],
        'if': also('always()'),
        'runs-on': common.helper,
        permissions: {},
        'timeout-minutes': 5,
        steps: [
          steps.script('Decide', importstr 'scripts/aggregate.sh', {
            PLAN: '${{ needs.plan.result }}',
            BUILD: '${{ needs.build.result }}',
            VERIFY: '${{ needs.verify.result }}',
            // Only whether it is empty: the matrix itself may be too long for an environment variable.
            MATRIX: "${{ needs.plan.outputs.matrix == '[]' && '[]' || 'some' }}",
            FAILED: '${{ needs.plan.outputs.failed }}',
            BLOCKED: '${{ needs.plan.outputs.blocked }}',
            PUSH: '${{ needs.plan.outputs.push }}',
          }),
        ],
      },
    } + (if !build.statuses then {} else {
           statuses: {
             name: 'Statuses',
             needs: ['plan', 'build'],
             'if': "needs.plan.result == 'success' && (github.event_name != 'pull_request' || github.event.pull_request.head.repo.full_name == github.repository) && !cancelled()",
             'runs-on': common.helper,
             permissions: { statuses: 'write # one commit status a target, as garnix had a check a target' },
             'timeout-minutes': 10,
             steps: [
               steps.downloadPlan(common),
               steps.downloadResults(common),
               steps.script('Post one status a target', importstr 'scripts/statuses.sh', {
                 GITHUB_TOKEN: '${{ github.token }}',
                 REPOSITORY: '${{ github.repository }}',
                 HEAD_SHA: expr.head,
                 RUN_URL: '${{ github.server_url }}/${{ github.repository }}/actions/runs/${{ github.run_id }}',
               }),
             ],
           },
         }),
  }
