// Parses workflows with GitHub's own parser: node parse-workflows.mjs NODE_MODULES FILE...
// Prints an error a line, and exits 1 if there is any.
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

// The package imports JSON as bundlers do, which node refuses.
register(
  "data:text/javascript," +
    encodeURIComponent(`
      import { readFile } from "node:fs/promises";
      export async function load(url, context, next) {
        if (!url.endsWith(".json")) return next(url, context);
        const text = await readFile(new URL(url), "utf8");
        return { format: "module", source: "export default " + text, shortCircuit: true };
      }`),
);

const [modules, ...files] = process.argv.slice(2);
const entry = path.join(modules, "@actions/workflow-parser/dist/index.js");
const { parseWorkflow, convertWorkflowTemplate, NoOperationTraceWriter } = await import(pathToFileURL(entry));

let faults = 0;
for (const name of files) {
  const content = await readFile(name, "utf8");
  const result = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  const messages = result.context.errors.getErrors().map((error) => error.message);
  if (messages.length === 0) {
    const template = await convertWorkflowTemplate(result.context, result.value);
    messages.push(...(template.errors ?? []).map((error) => error.Message));
    if (template.jobs.length === 0) messages.push("no jobs");
  }
  for (const message of messages) console.log(`${name}: ${message}`);
  faults += messages.length;
}
process.exit(faults === 0 ? 0 : 1);
