// The page: fields in, what the worker makes of them out. Foreign text becomes text nodes only.
const $ = (id) => document.getElementById(id);
const fields = ["config", "lock", "cache"].map($);

const pause = 250; // milliseconds between the last key and a conversion
const limit = 30_000; // milliseconds that a conversion may take, the first one on a slow phone too
const most = 300; // rows and findings shown

let program; // the compiled converter
let worker; // undefined until it is needed, and after a conversion that did not end
let running = false;
let again = false; // something changed meanwhile
let timer;
let files = [];
let archive;
let current; // the file shown

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// The program comes compressed, and is unpacked here: so its server need not know how.
async function load() {
  const response = await fetch("garnix2gha.wasm.gzip");
  if (!response.ok) throw new Error(`the server says ${response.status}`);
  const unpacked = response.body.pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compileStreaming(new Response(unpacked, { headers: { "Content-Type": "application/wasm" } }));
}

// A worker made from a blob is bound by this page's Content-Security-Policy; one made from a file would have none.
function start() {
  const scripts = ["wasm_exec.js", "worker.js"].map((name) => new URL(name, location.href).href);
  const source = new Blob([`importScripts(...${JSON.stringify(scripts)})`], { type: "text/javascript" });
  worker = new Worker(URL.createObjectURL(source));
  worker.onmessage = ({ data }) => {
    if (data.fault) return broken(data.fault);
    finish();
    show(JSON.parse(data.text), data.archive);
  };
  worker.onerror = (event) => broken(event.message);
  worker.postMessage(program);
}

function convert() {
  if (!program) return;
  again = running;
  if (running) return;
  if (!worker) start();
  running = true;
  timer = setTimeout(() => {
    stop();
    fail(`The conversion took more than ${limit / 1000} seconds and was stopped. Change something to try again.`);
  }, limit);
  worker.postMessage(Object.fromEntries(fields.map((field) => [field.id, field.value])));
}

function finish() {
  clearTimeout(timer);
  running = false;
  if (again) setTimeout(convert);
}

function stop() {
  worker.onmessage = worker.onerror = null; // what it has said already comes too late
  worker.terminate();
  worker = undefined;
  finish();
}

function broken(why) {
  stop();
  fail(`This is a fault of the converter, not of your file: ${why}`);
}

function fail(text) {
  show({ summary: text, findings: [], targets: [], files: [] });
}

function show(result, packed) {
  $("summary").textContent = result.summary;
  $("findings").replaceChildren(...result.findings.slice(0, most).map(finding));
  const hidden = result.findings.length - most;
  if (hidden > 0) $("findings").append(element("li", {}, `${hidden} more`));
  for (const field of fields) {
    const wrong = (found) => found.severity === "error" && found.file === field.dataset.file;
    field.ariaInvalid = result.findings.some(wrong);
  }
  $("targets").hidden = result.targets.length === 0;
  $("rows").replaceChildren(...result.targets.slice(0, most).map(row));
  const more = result.targets.length - most;
  $("left-out").textContent = more > 0 ? `${more} more are in targets.json.` : "";
  files = result.files;
  archive = packed;
  $("files").hidden = files.length === 0;
  $("archive").hidden = !packed?.length;
  $("done").textContent = "";
  list();
}

function finding(found) {
  const kind = { error: "Error", warning: "Warning", notice: "Note" }[found.severity];
  const item = element("li", { className: `finding ${found.severity}` }, element("strong", {}, kind), " ");
  const field = fields.find((field) => field.dataset.file === found.file);
  const place = found.line > 0 && field !== $("cache") ? `${found.file}:${found.line}` : found.file;
  item.append(field ? link(place, field, found.line) : place, element("p", {}, found.message));
  if (found.hint) item.append(element("p", { className: "hint" }, `Hint: ${found.hint}`));
  return item;
}

function row(target) {
  const name = element("th", { scope: "row", className: "code" });
  name.append(...target.name.split(/(?<=\.)/).flatMap((part) => [part, element("wbr")]));
  if (target.line > 0) name.append(" ", link(`line ${target.line}`, $("config"), target.line));
  const system = target.system || (target.open ? "as the flake has it" : "as the flake says");
  return element("tr", {}, name, element("td", {}, system), element("td", {}, target.when));
}

function link(text, field, line) {
  const act = () => jump(field, line);
  return element("button", { type: "button", className: "link", ariaLabel: `${text}, go there`, onclick: act }, text);
}

// jump selects a line of a field.
function jump(field, line) {
  if ($("more").contains(field)) $("more").open = true;
  field.focus();
  if (field.tagName !== "TEXTAREA") return field.select();
  const lines = field.value.split("\n");
  const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  field.setSelectionRange(from, from + (lines[line - 1] ?? "").length);
  field.scrollTop = (line - 1) * parseFloat(getComputedStyle(field).lineHeight) - field.clientHeight / 2;
  field.scrollLeft = 0;
}

// list shows the files as tabs, and again the one that was chosen.
function list() {
  let group;
  const parts = [];
  files.forEach((file, i) => {
    if (file.group !== group) parts.push(element("p", { className: "group", ariaHidden: "true" }, file.group));
    group = file.group;
    const tab = element("button", { type: "button", id: `tab-${i}`, onclick: () => choose(file) });
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", "panel");
    tab.append(base(file));
    parts.push(tab);
  });
  $("tabs").replaceChildren(...parts);
  if (files.length > 0) choose(files.find((file) => file.path === current?.path) ?? files[0]);
}

function base(file) {
  return file.path.slice(file.path.lastIndexOf("/") + 1);
}

function choose(file) {
  current = file;
  const tabs = $("tabs").querySelectorAll("[role=tab]");
  files.forEach((other, i) => {
    tabs[i].setAttribute("aria-selected", other === file);
    tabs[i].tabIndex = other === file ? 0 : -1;
    if (other === file) $("panel").setAttribute("aria-labelledby", tabs[i].id);
  });
  $("path").textContent = file.path;
  $("text").textContent = file.text;
  $("text").scrollTo(0, 0);
}

function download(name, content) {
  const url = URL.createObjectURL(new Blob([content]));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  $("done").textContent = `${name} is in your downloads.`;
}

$("tabs").onkeydown = (event) => {
  const at = files.indexOf(current);
  const [back, forth] = [at - 1, at + 1];
  const keys = { ArrowUp: back, ArrowLeft: back, ArrowDown: forth, ArrowRight: forth, Home: 0, End: files.length - 1 };
  const to = keys[event.key];
  if (to === undefined) return;
  event.preventDefault();
  choose(files[(to + files.length) % files.length]);
  $("tabs").querySelector("[aria-selected=true]").focus();
};

$("copy").onclick = async () => {
  try {
    await navigator.clipboard.writeText(current.text);
    $("done").textContent = `Copied ${current.path}.`;
  } catch {
    getSelection().selectAllChildren($("text"));
    $("done").textContent = "The text is selected: copy it with Ctrl+C or ⌘C.";
  }
};

$("download").onclick = () => download(base(current), current.text);
$("archive").onclick = () => download("garnix2gha.zip", archive);

// What the reader typed is kept while they look at an example.
const own = { config: "", lock: "" };
let waiting;
for (const field of fields) {
  field.oninput = () => {
    clearTimeout(waiting);
    waiting = setTimeout(convert, pause);
    if (!(field.id in own)) return;
    $("example").value = "";
    for (const id in own) own[id] = $(id).value;
  };
}

async function examples() {
  const all = await (await fetch("examples.json")).json();
  const pick = () => {
    const chosen = all[$("example").value] ?? own;
    for (const id in own) $(id).value = chosen[id];
    convert();
  };
  all.forEach((example, i) => $("example").append(element("option", { value: i }, `Example: ${example.title}`)));
  $("example").onchange = pick;
  if (fields.every((field) => field.value === "")) {
    $("example").value = 0;
    pick();
  }
}

try {
  [program] = await Promise.all([load(), examples()]);
  convert();
} catch (error) {
  fail(`The converter could not be loaded (${error.message}). It needs a web server and a browser of 2023 or later.`);
}
