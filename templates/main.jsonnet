// What the plan holds, keyed by file name. The plan decides; this only spells. A field "//name" is a comment of the
// field "name" beside it.
function(plan)
  local files = plan.common.files;
  (if plan.build == null then {} else {
     [files.build]: (import 'build.libsonnet')(plan.build, plan.common),
     [files.cache]: (import 'cache.libsonnet')(plan.build, plan.common),
   }) +
  (if plan.actions == null then {} else { [files.actions]: (import 'actions.libsonnet')(plan.actions, plan.common) })
