// Cache Only: every output of every target is in the cache, on a schedule and on demand.
local expr = import 'expressions.libsonnet';
local steps = import 'steps.libsonnet';

function(cache, common)
  local verifying(source, system) = [
    steps.checkout(common, '${{ github.sha }}'),
    steps.nix(common),
    steps.evaluate(common, source + {
      BRANCH: '${{ github.ref_name }}',
      HAS_BRANCH: "${{ github.ref_type == 'branch' }}",
    } + system),
    steps.lookup(common, { WAIT_MINUTES: "${{ inputs.wait-minutes || '0' }}" } + steps.readToken(common)),
  ];
  {
    name: cache.name,
    on: (if cache.schedule != '' then { schedule: [{ cron: cache.schedule }] } else {}) + {
      workflow_dispatch: {
        inputs: {
          'wait-minutes': {
            description: 'How long to wait for a push still under way',
            type: 'number',
            required: false,
            default: 0,
          },
        },
      },
    },
    permissions: {},
    concurrency: expr.concurrency,
    env: steps.cacheEnv(common),

    jobs: {
      verify: {
        name: 'Verify',
        'runs-on': common.helper,
        permissions: { contents: 'read' },
        'timeout-minutes': cache.minutes,
        outputs: { unplanned: '${{ steps.verify.outputs.unplanned }}' },
        steps: verifying(common.source, { ALLOW_IFD: 'false' }) + [
          {
            name: 'Verify',
            id: 'verify',
            env: { MODE: 'all', RUNNERS: std.manifestJsonMinified(common.runners) },
            run: importstr 'scripts/verify.sh',
          },
        ],
      },

      // Systems that only their own runner can evaluate.
      elsewhere: {
        name: 'Verify ${{ matrix.system }}',
        needs: 'verify',
        'if': "needs.verify.outputs.unplanned != '' && needs.verify.outputs.unplanned != '[]' && !cancelled()",
        'runs-on': '${{ matrix.runner }}',
        permissions: { contents: 'read' },
        'timeout-minutes': cache.minutes,
        strategy: {
          'fail-fast': false,
          matrix: { include: "${{ fromJSON(needs.verify.outputs.unplanned || '[]') }}" },
        },
        steps: verifying(common.source, { ALLOW_IFD: 'true', SYSTEM: '${{ matrix.system }}' }) + [
          steps.script('Verify', importstr 'scripts/verify.sh', {
            MODE: 'all',
            RUNNERS: std.manifestJsonMinified(common.runners),
          }),
        ],
      },
    },
  }
