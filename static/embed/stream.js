// What the panels of a page have in common: one stream that says that something changed, and one request for all that
// ask at a time, both in a shared worker where there may be one. It stands before panel.js in the same file.

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
/** The proxy says something at least every 5 s. */
const SILENCE = 20_000;
/** Who asks within this after the first is asked for along with it. */
const GATHERED = 100;
/** No server takes addresses of any length. */
const MOST_AT_ONCE = 20;
const LONGEST_ADDRESS = 4_000;
const TIMEOUT = 20_000;
/** Over HTTP/1.1 a browser has six connections to a host, and each stream keeps one: so many may, of whatever links. */
const MOST_STREAMS = 2;
/** How often those are told so that have no stream. */
const REMINDED = 5_000;

/** Follows a stream until the function that it gives is called. `memory.id` is the event seen last. */
function follow(url, memory, tell) {
  let source;
  let timer;
  let tries = 0;
  const lost = () => {
    source.close();
    clearTimeout(timer);
    tell({ kind: 'lost' });
    const wait = Math.min(FIRST_WAIT * 2 ** tries, LONGEST_WAIT);
    tries += 1;
    // Not all of a page, or of a town, at once.
    timer = setTimeout(open, wait * (0.5 + Math.random() / 2));
  };
  const open = () => {
    source = new EventSource(memory.id ? `${url}?last_event_id=${encodeURIComponent(memory.id)}` : url);
    const hear = ({ type, data, lastEventId }) => {
      if (lastEventId) memory.id = lastEventId;
      tries = 0;
      clearTimeout(timer);
      timer = setTimeout(lost, SILENCE);
      tell({ kind: type, ...JSON.parse(data) });
    };
    source.addEventListener('changed', hear);
    source.addEventListener('ping', hear);
    source.onerror = lost;
    clearTimeout(timer);
    timer = setTimeout(lost, SILENCE);
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/** Whether this page came so that streams share connections with all else. Who cannot tell is taken for one that did not. */
function isScarce() {
  return !/^h[23]/.test(performance.getEntriesByType?.('navigation')[0]?.nextHopProtocol ?? '');
}

/** The places for streams of one worker: `place(take)` calls `take` once there is one, and gives how to leave it. */
function ownPlaces() {
  const waiting = new Set();
  let taken = 0;
  const next = () => {
    for (const take of waiting) {
      if (taken === MOST_STREAMS) return;
      waiting.delete(take);
      taken += 1;
      take();
    }
  };
  return (take) => {
    waiting.add(take);
    next();
    return () => {
      if (!waiting.delete(take)) taken -= 1;
      next();
    };
  };
}

/** The same for pages that have no worker in common, by locks. */
function lockedPlace(take) {
  const leaving = new AbortController();
  let leave;
  const left = new Promise((resolve) => { leave = resolve; });
  let has = false;
  const got = () => {
    if (has || leaving.signal.aborted) return undefined;
    has = true;
    // It waits for no other.
    leaving.abort();
    take();
    return left;
  };
  for (let at = 0; at < MOST_STREAMS; at += 1) {
    navigator.locks.request(`fleetglass stream ${at}`, { signal: leaving.signal }, got).catch(() => {});
  }
  return () => { leaving.abort(); leave(); };
}

/** Where panels know nothing of each other only the first frame of a page has a place. */
function firstPlace(take) {
  if (top === self || top[0] === self) take();
  return () => {};
}

/** Follows a stream once there is a place for it, and until then says that there is none. */
function followFrom(place, url, memory, tell) {
  let stop;
  const remind = () => { if (!stop) tell({ kind: 'none' }); };
  const reminder = setInterval(remind, REMINDED);
  const leave = place(() => {
    clearInterval(reminder);
    stop = follow(url, memory, tell);
  });
  remind();
  return () => {
    clearInterval(reminder);
    stop?.();
    leave();
  };
}

/** Asks for one panel. */
async function fetched(fragment) {
  const answer = await fetch(fragment, { credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout?.(TIMEOUT) });
  return { status: answer.status, mark: answer.headers.get('x-panel-mark') ?? '', text: await answer.text() };
}

/** Asks for the panels of several frames in one request. */
function gatherer() {
  const places = new Map();
  const send = async (place) => {
    const { asks, query, timer } = places.get(place);
    places.delete(place);
    clearTimeout(timer);
    let panels = [];
    let status = 0;
    try {
      const answer = await fetch(`${place}s?${query}`, { credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout?.(TIMEOUT) });
      ({ status } = answer);
      if (answer.ok) {
        ({ panels } = await answer.json());
      } else if (status < 500 && status !== 429) {
        // It is of the request for all, and of none of them: a server of before, or one that takes no long address.
        panels = await Promise.all(asks.map(({ fragment }) => fetched(fragment).catch(() => ({ status: 0 }))));
      }
    } catch {
      status = 0;
    }
    asks.forEach(({ port, id }, at) => port.postMessage({ kind: 'panel', id, panel: panels[at] ?? { status } }));
  };
  return (port, { id, fragment }) => {
    const at = fragment.indexOf('?');
    const place = fragment.slice(0, at);
    const own = `panel=${encodeURIComponent(fragment.slice(at + 1))}`;
    const before = places.get(place);
    if (before && before.query.length + own.length > LONGEST_ADDRESS) send(place);
    const batch = places.get(place) ?? { asks: [], query: '', timer: setTimeout(() => send(place), GATHERED) };
    places.set(place, batch);
    batch.asks.push({ port, id, fragment });
    batch.query += batch.query ? `&${own}` : own;
    if (batch.asks.length === MOST_AT_ONCE) send(place);
  };
}

/** The shared worker: a stream for each address that a panel in view asks for. */
function relay() {
  const streams = new Map();
  const gather = gatherer();
  const place = ownPlaces();
  self.onconnect = ({ ports: [port] }) => {
    let url;
    const leave = () => {
      const stream = streams.get(url);
      if (!stream?.ports.delete(port) || stream.ports.size > 0) return;
      // Whoever scrolls on brings the next panel into view in a moment.
      stream.ending = setTimeout(() => {
        stream.stop?.();
        stream.stop = undefined;
        stream.last = undefined;
      }, 2_000);
    };
    port.onmessage = ({ data }) => {
      if (data.fragment) {
        gather(port, data);
        return;
      }
      leave();
      url = data.url;
      if (!url) return;
      const stream = streams.get(url) ?? { ports: new Set(), memory: {} };
      streams.set(url, stream);
      clearTimeout(stream.ending);
      stream.ports.add(port);
      const tell = (said) => {
        stream.last = said;
        stream.ports.forEach((one) => one.postMessage(said));
      };
      stream.stop ??= data.isScarce ? followFrom(place, url, stream.memory, tell) : follow(url, stream.memory, tell);
      if (stream.last) port.postMessage(stream.last);
    };
    port.postMessage({ kind: 'here' });
  };
}

/** Gives a way to follow a stream together with the other panels of the page, as far as the browser lets it. */
function shared(relayUrl, url, hear) {
  const memory = {};
  let way;
  let wanted = false;
  const begun = (place, tell) => (isScarce() ? followFrom(place, url, memory, tell) : follow(url, memory, tell));
  const alone = () => {
    let stop;
    return { start: () => { stop ??= begun(firstPlace, hear); }, stop: () => { stop?.(); stop = undefined; } };
  };
  // One panel in view holds the lock and the stream, and tells the others.
  const led = () => {
    if (!navigator.locks || typeof BroadcastChannel !== 'function') return alone();
    const channel = new BroadcastChannel(`fleetglass ${url}`);
    let release;
    channel.onmessage = ({ data }) => { if (wanted) hear(data); };
    return {
      start() {
        if (release) return;
        const leaving = new AbortController();
        const ended = new Promise((resolve) => {
          release = () => { leaving.abort(); resolve(); release = undefined; };
        });
        navigator.locks.request(`fleetglass ${url}`, { signal: leaving.signal }, async () => {
          const stop = begun(lockedPlace, (said) => { channel.postMessage(said); hear(said); });
          await ended;
          stop();
        }).catch(({ name }) => {
          // A sandbox has no locks.
          if (name !== 'AbortError') begin(alone());
        });
      },
      stop: () => release?.(),
    };
  };
  const begin = (next) => {
    way = next;
    if (wanted) way.start();
  };
  const fallback = () => {
    try { begin(led()); } catch { begin(alone()); }
  };
  try {
    const worker = new SharedWorker(relayUrl, { name: 'fleetglass' });
    const { port } = worker;
    // A worker that may not be had says an error, or nothing.
    const without = () => {
      clearTimeout(late);
      port.close();
      if (!way) fallback();
    };
    const late = setTimeout(without, 10_000);
    worker.onerror = without;
    const asks = new Map();
    let last = 0;
    const ask = (fragment) => new Promise((resolve) => {
      last += 1;
      const id = last;
      const give = (panel) => {
        clearTimeout(timer);
        asks.delete(id);
        resolve(panel);
      };
      const timer = setTimeout(() => give({ status: 0 }), TIMEOUT + 5_000);
      asks.set(id, give);
      port.postMessage({ fragment, id });
    });
    port.onmessage = ({ data }) => {
      if (data.kind === 'panel') {
        asks.get(data.id)?.(data.panel);
      } else if (data.kind === 'here') {
        clearTimeout(late);
        begin({ start: () => port.postMessage({ url, isScarce: isScarce() }), stop: () => port.postMessage({}), ask });
      } else if (wanted) {
        hear(data);
      }
    };
  } catch {
    fallback();
  }
  return {
    start() { wanted = true; way?.start(); },
    stop() { wanted = false; way?.stop(); },
    /** Asks together with the others; `undefined` where each asks alone. */
    get ask() { return way?.ask; },
  };
}
