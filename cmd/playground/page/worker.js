// Runs the converter beside the page: the first message brings the compiled program, every other one a request.
let started;

async function start(module) {
  const go = new Go();
  go.run(await WebAssembly.instantiate(module, go.importObject));
}

self.onmessage = async ({ data }) => {
  if (data instanceof WebAssembly.Module) {
    started = start(data);
    return;
  }
  try {
    await started;
    self.postMessage(convert(data.config, data.lock, data.cache) ?? { fault: "it ended" });
  } catch (error) {
    self.postMessage({ fault: String(error) });
  }
};
