// Starts the WebAssembly app. `cargo xtask` writes this script into the page itself, and beside it the names of what
// comes later; trunk writes the hashed name of the app (`pattern_script` in Trunk.toml).
const { js, wasm, rest, sheets, keep } = document.querySelector("meta[name=fleetglass-app]").dataset;
const root = new URL(".", new URL(js, location)).pathname;
const place = root + (location.pathname.slice(root.length).match(/^s\/[^/]+\//)?.[0] ?? "");

// What the live stream says, for `keep.js`, which comes once the app runs.
globalThis.fleetglassHeard = [];

// The rest of the app, which the first page does not need (`docs/decisions/0008-one-element-type.md`).
// `trunk serve` leaves the app whole, and there is none.
let there = !rest;
let coming;
let first;
let started;
const start = new Promise((resolve) => { started = resolve; });

// The style sheet of the later pages comes with the rest.
function dress() {
  if (!sheets || document.querySelector(`link[href="${sheets}"]`)) return undefined;
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: sheets });
  return new Promise((resolve, reject) => {
    link.onload = resolve;
    link.onerror = () => {
      link.remove();
      reject(new Error(`${sheets} did not come`));
    };
    document.head.append(link);
  });
}

// The fleet in a few lines, asked for while the app is on its way (`docs/phone.md`).
let view;
const glance = /^(glance)?$/.test(location.pathname.slice(place.length)) && look();

async function look() {
  try {
    const token = sessionStorage.getItem("fleetglass-token");
    const headers = token && place === root ? { authorization: `Bearer ${token}` } : {};
    const answer = await fetch(`${place}api/v1/glance`, { headers });
    return answer.ok ? answer.json() : undefined;
  } catch {
    return undefined;
  }
}

const make = (tag, className, ...inside) => {
  const made = Object.assign(document.createElement(tag), { className });
  made.append(...inside);
  return made;
};
const SHAPES = { healthy: "●", degraded: "▲", unhealthy: "■", unreachable: "✕", unknown: "○" };
// The worst first, each with its shape and the state whose colours it has.
const SEVERITIES = { critical: ["⬣", "unreachable"], warning: ["▲", "degraded"], info: ["○", "unknown"] };
const UNITS = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];

function ago(ms) {
  const [size, unit] = UNITS.find(([size]) => ms >= size * 1000) ?? UNITS[3];
  return `${Math.max(0, Math.floor(ms / size / 1000))} ${unit}`;
}

// Where the sketch of the page is, until the app has the whole fleet.
function draw() {
  const sketch = document.getElementById("boot-notice");
  if (!view?.nodes || !sketch) return;
  const { at, title, need, states, alerts, worst } = view;
  const lines = worst.map(({ id, status, since, why, at_risk: atRisk }) => {
    const line = make("a", "attention-link", make("span", `status state-${status}`, `${SHAPES[status]} ${status}`),
      make("span", "attention-node", id), make("span", "attention-why", make("span", "attention-reason", why)),
      make("span", "attention-since", `for ${ago(at - since)}`));
    line.href = `${place}nodes/${encodeURIComponent(id)}`;
    return make("li", `attention-line state-${status}${atRisk ? " attention-at-risk" : ""}`, line);
  });
  const counts = Object.entries(states).filter(([, count]) => count);
  const sum = make("p", "muted", counts.map(([state, count]) => `${SHAPES[state]} ${count} ${state}`).join(" · "));
  const section = need
    ? make("section", "attention", make("h2", "attention-title", title), make("ul", "attention-list", ...lines))
    : make("p", "all-well", make("span", "icon"), make("span", "all-well-words", title));
  sketch.replaceChildren(section, sum);
  announce(alerts, sketch);
}

// Where the banner will be, so that nothing moves when it comes: in the sketch's own body, above that of the app's page.
// The style sheet takes it away when the page has its own.
function announce(alerts, sketch) {
  const open = Object.keys(SEVERITIES).filter((severity) => alerts?.[severity]);
  if (!open.length) return;
  document.querySelector(".early-alerts")?.remove();
  const count = (severity) => make("span", "alert-count", SEVERITIES[severity][0], make("span", "", `${alerts[severity]}`),
    make("span", "alert-count-word", severity));
  const counts = open.map(count);
  const banner = make("p", `alert-banner early-alerts state-${SEVERITIES[open[0]][1]}`, make("span", "alert-counts num", ...counts));
  if (sketch.matches(".page-body")) sketch.prepend(banner);
  else sketch.closest(".page-body").before(banner);
}

// When it has been painted, where it comes soon: on a slow phone the app's start would hold it up.
const painted = Promise.resolve(glance).then((found) => {
  view = found;
  draw();
  return new Promise((seen) => { requestAnimationFrame(() => setTimeout(seen)); });
});
const pause = (ms) => new Promise((over) => { setTimeout(over, ms); });

// The app's code is much: it comes after what is seen first, unless that is late or the code is in this browser.
const code = (navigator.serviceWorker?.controller ? Promise.resolve() : Promise.race([painted, pause(250)]))
  .then(() => fetch(wasm));
code.catch(() => {});

globalThis.fleetglassRest = {
  there: () => there,
  draw,
  // The fleet as this browser heard it last, for a start without a network.
  last: () => (keep ? import(keep).then((kept) => kept.last()) : Promise.resolve()),
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

// It is no part of what is seen: where it does not come now, it comes later, and hears what is said from then on.
function listen() {
  import(keep).catch(() => {
    globalThis.fleetglassHeard.length = 0;
    setTimeout(listen, 15_000);
  });
}

try {
  const app = await import(js);
  if (!document.hidden) await Promise.race([painted, pause(100)]);
  first = await app.default({ module_or_path: code });
  if (rest) {
    const { instance } = await WebAssembly.instantiate(adapter, { a: { b: need } });
    // The slot that every stub calls first: see `xtask/src/split.rs`.
    first.t.set(first.t.length - 1, instance.exports.c);
  }
  started();
  if (keep) listen();
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
