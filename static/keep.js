// What the app does besides showing: keeps the last fleet for a start without a network, has the service worker kept up
// to date, counts alerts on the app's icon, offers to install it, and understands swipes and pulls. `boot.js` fetches it
// once the app runs.
const root = new URL(".", import.meta.url).pathname;
const link = location.pathname.slice(root.length).match(/^s\/[^/]+\//)?.[0] ?? "";
const key = root + link;

// ── the last fleet ──────────────────────────────────────────────────────────────────────────────────────────────
// Saved soon, and so seldom that it costs a phone less than a hundredth of its time. A page that is closed has no time
// to open a database: this one stays open.
const SAVE_EVERY_MS = 2_000;
const TIMES_ITS_COST = 200;
// More than this is not kept of each: a start without a network is for looking up, not an archive.
const MOST_NODES = 5_000;
let fleet;
let changed = false;
// Not while the app starts.
let next = performance.now() + 3_000;
let database;
let held;

function opened() {
  database ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open("fleetglass", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("last");
    opening.onerror = () => { database = undefined; reject(opening.error); };
    opening.onsuccess = () => {
      const there = opening.result;
      const gone = () => { there.close(); database = undefined; held = undefined; };
      Object.assign(there, { onversionchange: gone, onclose: gone });
      held = there;
      resolve(there);
    };
  });
  return database;
}

function store(there, mode, use) {
  return new Promise((resolve, reject) => {
    const transaction = there.transaction("last", mode);
    const asked = use(transaction.objectStore("last"));
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onabort = () => reject(transaction.error);
    // Not when nothing more is asked for, but now: the page may be gone before.
    transaction.commit?.();
  });
}

/** The fleet as it was heard last, or nothing. */
export const last = () => opened().then((there) => store(there, "readonly", (all) => all.get(key))).catch(() => undefined);

function save() {
  const begun = performance.now();
  next = begun + SAVE_EVERY_MS;
  if (!fleet || !changed || !held) return;
  changed = false;
  const nodes = [...fleet.nodes.values()].slice(0, MOST_NODES);
  const { seq, at, server, families } = fleet;
  const alerts = [...fleet.alerts.values()];
  store(held, "readwrite", (all) => all.put({ seq, at, server, families, nodes, alerts, kept_at: Date.now() }, key)).catch(() => {});
  next = Math.max(next, begun + TIMES_ITS_COST * (performance.now() - begun));
}

async function forget() {
  [fleet, changed] = [undefined, false];
  badge(0);
  await opened().then((there) => store(there, "readwrite", (all) => all.delete(key))).catch(() => {});
}

// A server in front of ours asks who this is. Its page comes with the next load; nobody waits for that who just started.
async function signIn() {
  const isStart = !fleet;
  await forget();
  const { active } = await navigator.serviceWorker?.getRegistration(key) ?? {};
  if (active) {
    const { port1, port2 } = new MessageChannel();
    const done = new Promise((resolve) => { port1.onmessage = resolve; });
    active.postMessage("sign in", [port2]);
    await done;
  }
  // Not again and again where its page cannot be reached.
  const LAST = `fleetglass-sign-in ${key}`;
  const tried = Number(sessionStorage.getItem(LAST) ?? 0);
  if (!isStart || Date.now() - tried < 60_000) return;
  sessionStorage.setItem(LAST, String(Date.now()));
  location.reload();
}

// RFC 7396. A spark's patch has its newest values alone: an old spark is not worth keeping.
function merge(target, patch) {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const merged = target && typeof target === "object" && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (name === "spark") continue;
    if (value === null) delete merged[name];
    else merged[name] = merge(merged[name], value);
  }
  return merged;
}

function hear([kind, told]) {
  if (kind === "forget") return void forget();
  if (kind === "sign-in") return void signIn().catch(() => {});
  if (kind === "snapshot") {
    const bare = ({ spark, ...node }) => node;
    fleet = { ...told, nodes: new Map(told.nodes.map((node) => [node.id, bare(node)])), alerts: new Map((told.alerts ?? []).map((alert) => [alert.id, alert])) };
  } else if (fleet && kind === "delta") {
    for (const [id, patch] of Object.entries(told.nodes ?? {})) {
      if (patch === null) fleet.nodes.delete(id);
      else fleet.nodes.set(id, merge(patch.id ? {} : fleet.nodes.get(id), patch));
    }
    for (const [id, alert] of Object.entries(told.alerts ?? {})) {
      if (alert) fleet.alerts.set(id, alert);
      else fleet.alerts.delete(id);
    }
    if (told.families) fleet.families = told.families;
    [fleet.seq, fleet.at] = [told.seq, told.at];
  } else if (fleet && kind === "ping") {
    fleet.at = told.at;
  }
  if (!fleet) return;
  changed = true;
  if (kind === "snapshot" || told.alerts || shown === undefined) badge(open());
  if (performance.now() >= next) {
    next = Infinity;
    (globalThis.requestIdleCallback ?? setTimeout)(save);
  }
}

// ── the number on the icon ──────────────────────────────────────────────────────────────────────────────────────
const some = (list) => list?.length > 0;
const open = () => [...fleet.alerts.values()].filter((alert) => alert.state === "firing" && !alert.acknowledged
  && !some(alert.silenced_by) && !some(alert.inhibited_by) && !some(alert.muted_by)).length;
let shown;

function badge(count) {
  if (link || count === shown || !navigator.setAppBadge) return;
  shown = count;
  (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => {});
}

// ── the worker ──────────────────────────────────────────────────────────────────────────────────────────────────
async function work() {
  const worker = navigator.serviceWorker;
  if (!worker || !isSecureContext) return;
  const registration = await worker.register(`${root}sw.js`, { scope: key, updateViaCache: "none" });
  const offer = (waiting) => { if (waiting && registration.active) note(registration); };
  offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const coming = registration.installing;
    coming?.addEventListener("statechange", () => { if (coming.state === "installed") offer(coming); });
  });
  // Where its push service gave this browser another subscription meanwhile, the server hears of it now.
  registration.active?.postMessage("renew");
  setInterval(() => registration.update().catch(() => {}), 3_600_000);
  addEventListener("online", () => registration.update().catch(() => {}));
}

function note(registration) {
  if (document.getElementById("update-note")) return;
  const box = Object.assign(document.createElement("div"), { id: "update-note", className: "update-note" });
  box.setAttribute("role", "status");
  const words = Object.assign(document.createElement("p"), { textContent: "A new version is there." });
  const press = Object.assign(document.createElement("button"), { type: "button", className: "button button-primary", textContent: "Reload" });
  press.onclick = () => {
    // Another tab may have been first, or a newer build have come since.
    const { waiting } = registration;
    if (!waiting) return location.reload();
    waiting.addEventListener("statechange", () => { if (waiting.state === "activated") location.reload(); });
    waiting.postMessage("take over");
  };
  box.append(words, press);
  document.body.append(box);
}

work().catch((error) => console.info("Fleetglass starts only with a network here:", error.message));

// ── fingers ─────────────────────────────────────────────────────────────────────────────────────────────────────
const SWIPE = 72;
const PULL = 88;
const EDGE = 24;
let begun;
let mark;

// What takes the finger for itself: charts and lanes are read by it, a wide box scrolls.
function belongs(target) {
  for (let box = target; box && box !== document.body; box = box.parentElement) {
    if (/^(INPUT|SELECT|TEXTAREA|DIALOG)$/.test(box.tagName) || box.closest("dialog")) return true;
    const { overflowX, touchAction } = getComputedStyle(box);
    if (touchAction === "pan-y") return true;
    if (box.scrollWidth > box.clientWidth + 1 && /auto|scroll/.test(overflowX)) return true;
  }
  return false;
}

addEventListener("touchstart", (event) => {
  begun = undefined;
  const body = event.target.closest?.(".page-body");
  if (event.touches.length !== 1 || !body || belongs(event.target)) return;
  const [{ clientX: x, clientY: y }] = event.touches;
  // From the edge a swipe is the system's: it goes back.
  if (x < EDGE || x > innerWidth - EDGE) return;
  begun = { x, y, body, top: body.scrollTop <= 0, way: "" };
}, { passive: true });

addEventListener("touchmove", (event) => {
  if (!begun || event.touches.length !== 1) return;
  const [{ clientX, clientY }] = event.touches;
  const [across, down] = [clientX - begun.x, clientY - begun.y];
  if (!begun.way && Math.hypot(across, down) > 12) {
    begun.way = Math.abs(across) > 1.8 * Math.abs(down) ? "across" : down > 0 && begun.top ? "down" : "none";
  }
  Object.assign(begun, { across, down });
  if (begun.way === "down") pulled(Math.min(1, down / PULL));
}, { passive: true });

addEventListener("touchend", () => {
  const { way, across = 0, down = 0, body } = begun ?? {};
  begun = undefined;
  if (way === "across" && Math.abs(across) > SWIPE && body.classList.contains("node-page")) {
    // The buttons are the same for everybody else.
    document.querySelector(`a[rel=${across < 0 ? "next" : "prev"}]`)?.click();
  }
  if (way === "down") {
    const far = down >= PULL;
    pulled(far ? 1 : 0, far);
    if (far) dispatchEvent(new Event("fleetglass-refresh"));
  }
}, { passive: true });

addEventListener("touchcancel", () => { begun = undefined; pulled(0); }, { passive: true });

function pulled(part, released = false) {
  if (!mark) {
    mark = Object.assign(document.createElement("div"), { className: "pull-mark" });
    mark.setAttribute("aria-hidden", "true");
    document.body.append(mark);
  }
  mark.style.setProperty("--pulled", part);
  mark.classList.toggle("pull-asks", released);
  mark.textContent = released ? "Asking now" : part >= 1 ? "Let go to ask now" : "Pull to ask now";
  mark.hidden = part <= 0.1;
  if (released) setTimeout(() => { mark.hidden = true; mark.classList.remove("pull-asks"); }, 900);
}

// ── the offer to install ────────────────────────────────────────────────────────────────────────────────────────
// `ask` where the browser installs on request, `words` where its owner has to (Safari on iPhones and iPads), or nothing.
const DECLINED = `fleetglass-install ${key}`;

function offerInstall() {
  let declined = false;
  try {
    declined = localStorage.getItem(DECLINED) !== null;
  } catch {
    // The store is forbidden here: it is offered again at the next start.
  }
  const installed = navigator.standalone || matchMedia("(display-mode: standalone), (display-mode: minimal-ui)").matches;
  const way = globalThis.fleetglassOffer ? "ask" : navigator.standalone === false ? "words" : "";
  if (way && !declined && !installed) document.documentElement.dataset.install = way;
  else delete document.documentElement.dataset.install;
}

globalThis.fleetglassInstall = {
  /** Has the browser ask its owner. An offer can be taken up once. */
  async take() {
    const { fleetglassOffer } = globalThis;
    delete globalThis.fleetglassOffer;
    offerInstall();
    await fleetglassOffer?.prompt();
  },
  /** It is not offered here any more. */
  decline() {
    try {
      localStorage.setItem(DECLINED, "declined");
    } catch {
      // For as long as the page is there.
    }
    delete document.documentElement.dataset.install;
  },
};
addEventListener("fleetglass-offer", offerInstall);
addEventListener("appinstalled", () => { delete globalThis.fleetglassOffer; offerInstall(); });
offerInstall();

// ── Web Push, for the page of notifications ─────────────────────────────────────────────────────────────────────
async function registered() {
  const found = await navigator.serviceWorker.getRegistration(key);
  return found ?? navigator.serviceWorker.ready;
}

// What the worker renews it by: see `renew` in `sw.js`.
async function remember(subscription) {
  try {
    const kept = await caches.open(`fleetglass push ${key}`);
    if (subscription) await kept.put(key, new Response(JSON.stringify(subscription)));
    else await kept.delete(key);
  } catch {
    // Nothing can be kept here: it is not renewed then.
  }
}

globalThis.fleetglassPush = {
  /** What this browser can, and whether it is subscribed. */
  async state() {
    const can = Boolean(!link && isSecureContext && navigator.serviceWorker && globalThis.PushManager && globalThis.Notification);
    if (!can) return { can };
    const held = await (await registered()).pushManager.getSubscription();
    const where = /iPhone|iPad|Android|Windows|Mac|Linux/.exec(navigator.userAgent)?.[0] ?? "a device";
    const what = /Firefox|Edg|Chrome|Safari/.exec(navigator.userAgent)?.[0]?.replace("Edg", "Edge") ?? "Browser";
    return { can, permission: Notification.permission, subscription: held?.toJSON(), name: `${what} on ${where}` };
  },
  /** Subscribes it with the server's key. */
  async subscribe(applicationServerKey) {
    if (await Notification.requestPermission() !== "granted") throw new Error("Notifications were not allowed.");
    const { pushManager } = await registered();
    const held = await pushManager.getSubscription();
    const subscribe = () => pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
    const made = await subscribe().catch(async (error) => {
      // It was made with another key: of another server, or of one that lost its state.
      if (!held) throw error;
      await held.unsubscribe();
      return subscribe();
    });
    const { endpoint, keys } = made.toJSON();
    await remember({ endpoint, keys, applicationServerKey });
    return { endpoint, keys };
  },
  async unsubscribe() {
    await remember();
    return (await (await registered()).pushManager.getSubscription())?.unsubscribe();
  },
};

// ── what was said before this came, and what is said from now on ────────────────────────────────────────────────
const before = globalThis.fleetglassHeard;
globalThis.fleetglassHeard = { push: hear };
if (Array.isArray(before)) before.forEach(hear);
opened().catch(() => {});
addEventListener("pagehide", save);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) save();
  // A push may have changed the number on the icon meanwhile: it is said anew with what is heard next.
  else shown = undefined;
});
