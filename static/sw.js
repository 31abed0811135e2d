// The service worker: starts the app without a network, and shows what is pushed. It keeps the app's own files of one
// build, and never an answer of the API. `cargo xtask` writes the build and its files here; docs/phone.md says how a
// new build takes over.
const BUILD = "none";
const FILES = [];

const root = new URL("./", self.location).href;
const scope = new URL(self.registration.scope).pathname;
// A share link has a worker of its own.
const isShare = /\/s\/[^/]+\/$/.test(scope);
const prefix = `fleetglass ${scope} `;
const CACHE = prefix + BUILD;
const SHELL = isShare ? self.registration.scope : root;
const files = new Set(FILES.map((file) => new URL(file, root).href));
// The pages of the app's router, and nothing else: the server has pages of its own. A test holds both together.
const PAGES = /^(|nodes\/[^/]+|alerts(\/[^/]+)?|risks|timeline|rules|people|notifications|shares|status|embed|more|glance)$/;
// How long the server may take where it is asked first, before what is kept is shown.
const LIMIT_MS = 3000;
// While this is there, the next page comes from the server: somebody in front of it asks for a login.
const SIGN_IN = `fleetglass sign-in ${scope}`;

const own = () => caches.open(CACHE);

// The page must be of this build: between two requests the server may have become another one.
const isOfThisBuild = (html) =>
  FILES.filter((file) => /_bg\.wasm$/.test(file)).every((file) => html.includes(file))
  && (!isShare || html.includes("fleetglass-share"));

async function keepShell(answer) {
  const html = await answer.clone().text();
  if (!answer.ok || !isOfThisBuild(html)) return false;
  const headers = new Headers(answer.headers);
  await (await own()).put(SHELL, new Response(html, { headers }));
  return true;
}

// A server in front of ours may say something else in place of a file: that it is down, or that it asks for a login.
const KINDS = { js: /javascript/, css: /css/, wasm: /wasm/, svg: /svg/, png: /png/ };
const isItself = (answer, file) =>
  answer?.ok && !answer.redirected && KINDS[file.split(".").at(-1)]?.test(answer.headers.get("content-type"));

async function keepFile(cache, file) {
  const held = await caches.match(file);
  const answer = isItself(held, file) ? held : await fetch(file, { cache: held ? "reload" : "default" });
  if (!isItself(answer, file)) throw new Error(`${file} did not come`);
  await cache.put(file, answer);
}

async function install() {
  const isNew = !await caches.has(CACHE);
  try {
    const cache = await own();
    await Promise.all([...files].map((file) => keepFile(cache, file)));
    const shell = await fetch(SHELL, { cache: "no-store", headers: { accept: "text/html" } });
    if (!await keepShell(shell)) throw new Error("the page is not of this build, or not to be kept");
  } catch (error) {
    if (isNew) await caches.delete(CACHE);
    throw error;
  }
}

self.addEventListener("install", (event) => event.waitUntil(install()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  const older = (await caches.keys()).filter((name) => name.startsWith(prefix) && name !== CACHE);
  // A tab may still show the build before this one.
  await Promise.all(older.slice(0, -1).map((name) => caches.delete(name)));
})()));

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
  if (event.data === "forget") event.waitUntil(forget());
  if (event.data === "renew") event.waitUntil(renew());
  if (event.data === "sign in") event.waitUntil(caches.open(SIGN_IN).then(() => event.ports[0]?.postMessage("done")));
});

async function forget() {
  for (const name of await caches.keys()) {
    if (name.startsWith(prefix)) await caches.delete(name);
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(root)) return;
  const url = new URL(request.url);
  if (request.mode === "navigate") {
    const inside = url.pathname.startsWith(scope);
    const path = url.pathname.slice(scope.length);
    if (inside && PAGES.test(path)) event.respondWith(isShare ? sharePage(request) : page(request));
  } else if (files.has(url.href) || /-[0-9a-f]{14,16}(_bg|_rest)?\.(js|css|wasm)$/.test(url.pathname)) {
    event.respondWith(caches.match(url.href).then((held) => held ?? fetch(request)));
  }
});

const kept = async () => (await own()).match(SHELL);

// The server's answer, if it comes in time and is no trouble of a server in front of ours.
async function fresh(asked) {
  const late = new Promise((resolve) => { setTimeout(resolve, LIMIT_MS); });
  const answer = await Promise.race([asked.catch(() => undefined), late]);
  return answer?.status < 500 ? answer : undefined;
}

async function page(request) {
  if (await caches.delete(SIGN_IN)) return (await fresh(fetch(request))) ?? (await kept()) ?? Response.error();
  const { waiting } = self.registration;
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (waiting && windows.length <= 1) {
    // A new build waits, and nobody looks at this one any more: it begins with this start.
    waiting.postMessage("take over");
    return (await fresh(fetch(request))) ?? (await kept()) ?? Response.error();
  }
  return (await kept()) ?? fetch(request);
}

// Whether a link still opens is the server's to say.
async function sharePage(request) {
  const asked = fetch(request).then(async (answer) => {
    if (answer.status === 404) await forget();
    else if (answer.ok) await keepShell(answer);
    return answer;
  });
  return (await fresh(asked)) ?? (await kept()) ?? asked;
}

self.addEventListener("push", (event) => {
  let told;
  try {
    told = event.data.json();
  } catch {
    told = { title: "Fleetglass", body: event.data?.text() ?? "" };
  }
  event.waitUntil(show(told));
});

function notify(title, { tag, data, ...more }) {
  return self.registration.showNotification(title, {
    tag,
    renotify: Boolean(tag),
    icon: `${root}icons/icon-192.png`,
    badge: `${root}icons/monochrome-96.png`,
    data: { tag, ...data },
    actions: data.acknowledge ? [{ action: "acknowledge", title: "Acknowledge" }] : [],
    ...more,
  });
}

function show(told) {
  badge(told.firing);
  const { tag, body, severity, at: timestamp, url = "./", acknowledge, by } = told;
  const requireInteraction = severity === "critical";
  return notify(told.title ?? "Fleetglass", { tag, body, requireInteraction, timestamp, data: { url, acknowledge, by } });
}

function badge(count) {
  if (typeof count !== "number" || !navigator.setAppBadge) return;
  (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => {});
}

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew()));

// Push services give a browser another subscription when they like, and nobody need be signed in then: that it has the
// secret of the one before is what the server goes by.
async function renew() {
  try {
    const kept = await caches.open(`fleetglass push ${scope}`);
    const before = await (await kept.match(scope))?.json();
    if (!before) return;
    const { applicationServerKey } = before;
    const { pushManager } = self.registration;
    const held = await pushManager.getSubscription()
      ?? await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
    const { endpoint, keys } = held.toJSON();
    const answer = await fetch(`${root}n/push`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ old: { endpoint: before.endpoint, auth: before.keys.auth }, endpoint, keys }),
    });
    if (answer.ok) await kept.put(scope, new Response(JSON.stringify({ endpoint, keys, applicationServerKey })));
    else if (answer.status === 404) await lost(kept);
  } catch (error) {
    // The next start of the app tries again.
    console.info("the push subscription is not renewed yet:", error.message);
  }
}

// The server forgot the one before: only its owner can say again what this browser is to be told of.
async function lost(kept) {
  await kept.delete(scope);
  await notify("This browser is told of alerts no more", {
    body: "Its subscription ended. Open Notifications to subscribe again.",
    tag: "fleetglass-push-lost",
    data: { url: "notifications" },
  });
}

self.addEventListener("notificationclick", (event) => {
  const { notification, action } = event;
  notification.close();
  event.waitUntil(action === "acknowledge" ? take(notification) : open(notification.data?.url));
});

// The token is signed: no login is needed, and it works once.
async function take({ title, body, data }) {
  let answer;
  try {
    answer = await fetch(`${root}n/ack/${data.acknowledge}`, {
      method: "POST",
      headers: { accept: "application/json" },
      body: new URLSearchParams({ by: data.by ?? "" }),
    });
  } catch {
    // As below.
  }
  const { tag, url } = data;
  if (!answer || answer.status >= 500 || answer.status === 429 || answer.redirected) {
    // It is as it was: whoever pressed presses again when there is a network.
    const words = "Not acknowledged: Fleetglass cannot be reached.\n";
    return notify(title, { tag, body: words + body.replace(words, ""), data });
  }
  badge((await answer.json().catch(() => undefined))?.firing);
  const words = answer.ok ? "Acknowledged." : "It could not be acknowledged: it is over, or somebody has it already.";
  return notify(title, { tag, body: words, data: { url } });
}

async function open(url) {
  const to = new URL(url ?? "./", root).href;
  // A page may have panels, which are windows as well.
  const windows = await self.clients.matchAll({ type: "window" });
  const window = windows.find(({ frameType }) => frameType === "top-level");
  if (!window) return self.clients.openWindow(to);
  await window.focus();
  return window.navigate(to);
}
