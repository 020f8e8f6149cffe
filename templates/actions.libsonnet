// Garnix Actions: flake apps that garnix ran on every build.
local events = import 'events.libsonnet';
local steps = import 'steps.libsonnet';

function(actions, common) {
  name: common.names['actions-workflow'],
  on: events.on(common.triggers),
  permissions: {},
  concurrency: events.concurrency(actions.cancel),

  jobs: {
    [action.id]: events.wanted(common.triggers) {
      name: action.check,
      'runs-on': common.helper,
      permissions: { contents: 'read' },
      'timeout-minutes': actions.minutes,
      steps: [
        steps.head(common),
        steps.programs(common),
        steps.nix(common),
        steps.checkedOut('Build the program', 'action build'),
        steps.checkedOut('Run it', 'action run', {
          ACTION_KEY: "${{ github.event_name != 'pull_request' && secrets.%s || '' }}" % action.secret,
        }),
      ],
    }
    for action in actions.jobs
  },
}
