// Starts the WebAssembly app. A file of its own, because the content security policy forbids inline
// scripts; trunk writes the hashed names into the page (`pattern_script` in Trunk.toml), `cargo xtask` those of what
// comes later.
const { js, wasm, rest, sheets } = document.querySelector("meta[name=fleetglass-app]").dataset;

// The rest of the app, which the first page does not need (`docs/decisions/0008-one-element-type.md`).
// `trunk serve` leaves the app whole, and there is none.
let there = !rest;
let coming;
let first;
let started;
const start = new Promise((resolve) => { started = resolve; });

// The style sheets of the later pages: they come with the rest, and in their order.
function dress() {
  return Promise.all((sheets ?? "").split(" ").filter(Boolean).map((href) => new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    link.onload = resolve;
    link.onerror = () => {
      link.remove();
      reject(new Error(`${href} did not come`));
    };
    const held = document.querySelector(`link[href="${href}"]`);
    if (held) resolve();
    else document.head.append(link);
  })));
}

globalThis.fleetglassRest = {
  there: () => there,
  // Fetches it, once however often it is asked for; after a failure it may be asked for again.
  fetch() {
    coming ??= (there ? Promise.resolve() : Promise.all([WebAssembly.compileStreaming(fetch(rest)), start, dress()])
      .then(([module]) => WebAssembly.instantiate(module, { first })))
      .then(() => { there = true; })
      .catch((error) => {
        coming = undefined;
        throw error;
      });
    return coming;
  },
};

// For a call that comes before it is there: the page waits.
function need() {
  if (there) return;
  dress();
  const request = new XMLHttpRequest();
  request.open("GET", rest, false);
  request.overrideMimeType("text/plain; charset=x-user-defined");
  request.send();
  const bytes = Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0) & 0xff);
  new WebAssembly.Instance(new WebAssembly.Module(bytes), { first });
  there = true;
}

// (module (import "a" "b" (func)) (export "c" (func 0))): makes a JavaScript function fit for a table.
const adapter = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 97, 1, 98, 0, 0, 7, 5, 1, 1, 99, 0, 0,
]);

try {
  const app = await import(js);
  first = await app.default({ module_or_path: wasm });
  if (rest) {
    const { instance } = await WebAssembly.instantiate(adapter, { a: { b: need } });
    // The slot that every stub calls first: see `xtask/src/split.rs`.
    first.t.set(first.t.length - 1, instance.exports.c);
  }
  started();
} catch (error) {
  console.error(error);
  const notice = document.getElementById("boot-notice");
  if (notice) {
    const title = Object.assign(document.createElement("p"), {
      className: "notice-title",
      textContent: "The dashboard could not start",
    });
    const detail = Object.assign(document.createElement("p"), {
      className: "notice-detail",
      textContent: typeof WebAssembly === "object"
        ? `Reload the page. If that does not help, check that Fleetglass runs. (${error.message})`
        : "This browser does not support WebAssembly, or it is switched off. Use a newer one.",
    });
    const box = Object.assign(document.createElement("div"), { className: "notice notice-failed", role: "alert" });
    box.append(title, detail);
    notice.replaceChildren(box);
  }
}
