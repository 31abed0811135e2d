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
// How long a share link may take to answer before what is kept of it is shown.
const LIMIT_MS = 3000;

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

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const cache = await own();
  await Promise.all([...files].map(async (file) => {
    const held = await caches.match(file);
    return held ? cache.put(file, held) : cache.add(file);
  }));
  const shell = await fetch(SHELL, { cache: "no-store", headers: { accept: "text/html" } });
  if (!await keepShell(shell)) throw new Error("the page is not of this build, or not to be kept");
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  const older = (await caches.keys()).filter((name) => name.startsWith(prefix) && name !== CACHE);
  // A tab may still show the build before this one.
  await Promise.all(older.slice(0, -1).map((name) => caches.delete(name)));
})()));

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
  if (event.data === "forget") event.waitUntil(forget());
  if (event.data === "renew") event.waitUntil(renew());
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

async function page(request) {
  const { waiting } = self.registration;
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (waiting && windows.length <= 1) {
    // A new build waits, and nobody looks at this one any more: it begins with this start.
    waiting.postMessage("take over");
    try {
      return await fetch(request);
    } catch {
      return (await kept()) ?? Response.error();
    }
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
  const late = new Promise((resolve) => { setTimeout(resolve, LIMIT_MS); });
  const first = await Promise.race([asked.catch(() => undefined), late]);
  return first ?? (await kept()) ?? asked;
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

async function show(told) {
  badge(told.firing);
  await self.registration.showNotification(told.title ?? "Fleetglass", {
    body: told.body,
    tag: told.tag,
    renotify: Boolean(told.tag),
    icon: `${root}icons/icon-192.png`,
    badge: `${root}icons/monochrome-96.png`,
    requireInteraction: told.severity === "critical",
    timestamp: told.at,
    data: { url: told.url ?? "./", acknowledge: told.acknowledge, by: told.by, tag: told.tag },
    actions: told.acknowledge ? [{ action: "acknowledge", title: "Acknowledge" }] : [],
  });
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
    if (endpoint === before.endpoint) return;
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
  await self.registration.showNotification("This browser is told of alerts no more", {
    body: "Its subscription ended. Open Notifications to subscribe again.",
    tag: "fleetglass-push-lost",
    icon: `${root}icons/icon-192.png`,
    data: { url: "notifications" },
  });
}

self.addEventListener("notificationclick", (event) => {
  const { notification, action } = event;
  notification.close();
  const { url, acknowledge, by, tag } = notification.data ?? {};
  event.waitUntil(action === "acknowledge" ? take(notification.title, acknowledge, by, tag) : open(url));
});

// The token is signed: no login is needed, and it works once.
async function take(title, token, by, tag) {
  let words = "Fleetglass cannot be reached. Open the alert to acknowledge it.";
  try {
    const body = new URLSearchParams({ by: by ?? "" });
    const answer = await fetch(`${root}n/ack/${token}`, { method: "POST", body });
    words = answer.ok ? "Acknowledged." : "It could not be acknowledged: it is over, or somebody has it already.";
  } catch {
    // The words above say it.
  }
  await self.registration.showNotification(title, { body: words, tag, icon: `${root}icons/icon-192.png`, data: { url: "alerts" } });
}

async function open(url) {
  const to = new URL(url ?? "./", root).href;
  const [window] = await self.clients.matchAll({ type: "window" });
  if (!window) return self.clients.openWindow(to);
  await window.focus();
  return window.navigate(to);
}
