// What the plan holds, keyed by file name. The plan decides; this only spells. A field "//name" is a comment of the
// field "name" beside it.
function(plan)
  (if plan.build != null then { [plan.build.file]: (import 'build.libsonnet')(plan.build, plan.common) } else {}) +
  (if plan.cache != null then { [plan.cache.file]: (import 'cache.libsonnet')(plan.cache, plan.common) } else {}) +
  (if plan.actions != null then { [plan.actions.file]: (import 'actions.libsonnet')(plan.actions, plan.common) } else {})
