// Garnix Actions: flake apps that garnix ran on every build.
local expr = import 'expressions.libsonnet';
local steps = import 'steps.libsonnet';

function(actions, common)
  local wanted = expr.wanted(actions.triggers);
  {
    name: actions.name,
    on: expr.on(actions.triggers),
    permissions: {},
    concurrency: expr.concurrency,

    jobs: {
      [action.id]: {
        name: action.check,
        [if wanted != null then 'if']: wanted,
        'runs-on': common.helper,
        permissions: { contents: 'read' },
        'timeout-minutes': actions.minutes,
        env: {
          ACTION: action.name,
          WITH_REPO: std.toString(action.withRepo),
          FLAKE_DIR: common.flakeDir,
        },
        steps: [
          steps.checkout(common, expr.head),
          steps.nix(common),
          steps.script('Build the program', importstr 'scripts/action.sh', {
            MODE: 'build',
            TARGETS_NIX: importstr 'nix/targets.nix',
          }),
          steps.script('Run it', importstr 'scripts/action.sh', {
            MODE: 'run',
            GARNIX_BRANCH: expr.branch(actions.triggers),
            GARNIX_COMMIT_SHA: expr.head,
            ACTION_KEY: "${{ github.event_name != 'pull_request' && secrets.%s || '' }}" % action.secret,
          }),
        ],
      }
      for action in actions.jobs
    },
  }
