// Cache Only: every output of every target is in the cache, on a schedule and on demand.
local events = import 'events.libsonnet';
local steps = import 'steps.libsonnet';

function(build, common) {
  name: common.names['cache-workflow'],
  on: {
    [if build.schedule != '' then 'schedule']: [{ cron: build.schedule }],
    workflow_dispatch: {
      inputs: {
        'wait-minutes': { description: 'How long to wait for a push still under way', type: 'number', default: 0 },
      },
    },
  },
  permissions: {},
  concurrency: events.concurrency('never'),

  jobs: {
    verify: {
      name: 'Verify',
      'runs-on': common.helper,
      permissions: { contents: 'read' },
      'timeout-minutes': build.minutes.verify,
      steps: [
        steps.checkout(common),
        steps.nix(common),
        steps.committed('Verify every target', 'verify', steps.reading(common)),
      ],
    },
  },
}
