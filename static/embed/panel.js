// A panel in a page of somebody else's: keeps what the proxy drew fresh, and says how fresh it is.
//
// The same file is the shared worker that holds one stream for all panels of a page. It needs no cookie and no storage,
// and works in a sandbox, where neither the worker nor a channel to the other panels may be had.

/** How often a panel asks that has no stream. */
const POLL = 15_000;
/** The same where the connections are left to the requests, on purpose. */
const TURN = 10_000;
/** A request that takes longer leaves open whether what is shown still holds. */
const LATE = 10_000;
/** Narrower, a panel has no room for more than its age. */
const NARROW = 280;
/** A panel that came within this is asked for together with the others. */
const SWIFT = 2_000;
/** Who asks alone does so within this after a change, for all panels of a page hear of it at once. */
const SPREAD = 1_000;

/** Makes `old` what `fresh` is, and keeps the elements that stay: with them the focus and the place in a list. */
function morph(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.hasAttribute('data-keep')) return;
  // Where somebody reads a chart is where they go on.
  const isRead = (name) => old === document.activeElement && (name === 'aria-valuenow' || name === 'aria-valuetext');
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !isRead(name)) old.setAttribute(name, value);
  }
  const keyed = new Map([...old.children].filter((child) => child.dataset.key).map((child) => [child.dataset.key, child]));
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const key = next.dataset?.key;
    const match = key ? keyed.get(key) : at;
    if (match?.nodeName === next.nodeName && match.dataset?.key === key) {
      if (match === at) at = at.nextSibling;
      else old.insertBefore(match, at);
      morph(match, next);
    } else {
      old.insertBefore(next, at);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function length(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const pair = (big, bigUnit, small, smallUnit) => (small ? `${big} ${bigUnit} ${small} ${smallUnit}` : `${big} ${bigUnit}`);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? pair(hours, 'h', minutes % 60, 'min') : pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function clock(at, options = { hour: '2-digit', minute: '2-digit', second: '2-digit' }) {
  return new Intl.DateTimeFormat(undefined, { hourCycle: 'h23', ...options }).format(at);
}

/** How high the panel would be if nobody said how high. */
function wantedHeight() {
  const { classList } = document.documentElement;
  classList.add('measure');
  const height = Math.ceil(document.body.getBoundingClientRect().height);
  classList.remove('measure');
  return height;
}

function panel(main) {
  const root = document.documentElement;
  const { fragment, stream, relay: relayUrl, panel: name } = main.dataset;
  /** What is drawn over time gets older also while nothing happens. */
  const isOfTime = name === 'chart' || name === 'uptime';
  const state = document.getElementById('state');
  const asOf = document.getElementById('as-of');
  /** What is shown, the proxy's clock against ours, and how things stand. */
  let at = Number(asOf.dataset.at);
  const ahead = at - Date.now();
  let mark = '';
  let isLive = false;
  let isLost = false;
  /** Has no stream, and asks at times in its place. */
  let isAsking = false;
  let isEnded = false;
  let isSeen = false;
  let failed = 0;
  let trouble = '';
  let isSlow = false;
  let asked = Date.now();
  let answered = Date.now();
  let pending;
  let busy = false;
  /** Something happened after what is under way was asked for. */
  let isMissed = false;

  /** What takes long holds back no other panel: it is in no request of theirs, and one at a time is asked for. */
  const alone = async (wish) => {
    const ask = async () => {
      const begun = Date.now();
      const answer = await fetched(wish);
      isSlow = answer.status === 504 || Date.now() - begun > SWIFT;
      return answer;
    };
    return connection?.ask && navigator.locks ? navigator.locks.request('fleetglass slow', ask) : ask();
  };

  const now = () => Date.now() + ahead;
  const view = () => main.firstElementChild;
  const every = () => Number(view().dataset.every);
  const isLate = () => busy && Date.now() - asked > LATE;
  /** Two turns without an answer are too many. Those over time have longer ones, of which half a minute counts. */
  const isFresh = () => isAsking && Date.now() - answered < 2 * Math.max(TURN, Math.min(every(), 30_000));
  /** Something may be heard through the worker while this frame reaches nothing. */
  const holds = () => (isLive || isFresh()) && failed === 0 && !isLate() && navigator.onLine !== false;

  function ages() {
    for (const time of document.querySelectorAll('time[data-how]')) {
      const left = Number(time.dataset.at) - now();
      const words = time.dataset.how === 'left' ? `in ${length(left)}` : length(-left);
      if (time.textContent !== words) time.textContent = words;
    }
  }

  /** The times below a chart in the viewer's zone, at round times there. */
  function axis() {
    const box = main.querySelector('.x-axis');
    if (!box) return;
    const [step, start, end] = ['step', 'start', 'end'].map((key) => Number(box.dataset[key]));
    const options = step < 86_400_000 ? { hour: '2-digit', minute: '2-digit' } : { month: 'short', day: 'numeric' };
    for (const text of box.children) {
      const own = Number(text.dataset.at);
      const shift = (new Date(own).getTimezoneOffset() * 60_000) % step;
      const place = (own + shift - start) / (end - start);
      text.toggleAttribute('hidden', place < 0 || place > 1);
      text.setAttribute('x', `${(place * 100).toFixed(2)}%`);
      text.textContent = clock(own + shift, options);
    }
  }

  function tell() {
    if (isEnded) return;
    const isOffline = navigator.onLine === false;
    const words = holds() ? 'Live'
      : isOffline ? 'Offline'
        : failed > 0 ? trouble
          : (isLost || isLate()) && isSeen ? 'Not live' : '';
    if (state.textContent !== words) state.textContent = words;
    const isOld = !holds() && (isOffline || failed > 0 || isLate()) && now() - at > 10_000;
    root.classList.toggle('is-live', holds());
    root.classList.toggle('is-old', isOld);
    const age = length(now() - at);
    const time = !isOld ? clock(at) : innerWidth < NARROW ? `${age} old` : `${clock(at)}, ${age} ago`;
    if (asOf.textContent !== time) asOf.textContent = time;
  }

  let told = 0;
  function height() {
    if (parent === self) return;
    const wanted = wantedHeight();
    if (wanted === told) return;
    told = wanted;
    // Whoever has the frame may know how high it is.
    parent.postMessage({ type: 'fleetglass:height', height: wanted, panel: name }, '*');
  }

  function show(html) {
    const fresh = new DOMParser().parseFromString(html, 'text/html').body.firstElementChild;
    if (fresh) morph(view(), fresh);
    ages();
    axis();
    height();
  }

  /** Words in the place of the panel, which may come back. */
  function say(title, words) {
    const article = document.createElement('article');
    article.className = 'view said';
    Object.assign(article.dataset, { at: now(), every: POLL });
    const heading = document.createElement('h1');
    heading.textContent = title;
    const text = document.createElement('p');
    text.textContent = words;
    article.append(heading, text);
    main.replaceChildren(article);
    mark = '';
    height();
  }

  function end(title, words) {
    isEnded = true;
    connection?.stop();
    clearTimeout(pending);
    root.classList.remove('is-live', 'is-old');
    document.querySelector('.foot')?.remove();
    document.title = title;
    say(title, words);
  }

  async function ask() {
    if (busy || isEnded) return;
    busy = true;
    isMissed = false;
    clearTimeout(pending);
    pending = undefined;
    asked = Date.now();
    const wish = `${fragment}&have=${mark}`;
    // The worker may reach what this frame does not.
    const together = navigator.onLine === false || isSlow ? undefined : connection?.ask;
    try {
      let answer = await (together ?? alone)(wish);
      if (answer.status === 504 && together) answer = await alone(wish);
      const { status, text, mark: sent } = answer;
      if (status === 204) at = now();
      else if (status === 200) {
        mark = sent;
        show(text);
        at = Number(view().dataset.at);
      } else if (status === 404) end('No longer shared', text);
      else if (status === 422) say('This panel shows nothing', text);
      else if (status >= 400 && status < 500 && status !== 429) end('This panel shows nothing', text);
      else throw Object.assign(new Error(`status ${status}`), { status });
      failed = 0;
      answered = Date.now();
    } catch ({ status }) {
      failed += 1;
      trouble = { 429: 'Asked too often', 504: 'Takes too long' }[status] ?? 'No connection';
    }
    busy = false;
    tell();
    if (isMissed && failed === 0) soon();
    else if (isAsking || !holds()) soon((isAsking ? TURN : POLL) * Math.min(1 + failed, 4) * (0.75 + Math.random() / 2));
  }

  /** Asks after a while, but not more often than the panel is worth. */
  function soon(wait = 0) {
    if (!isSeen || isEnded) return;
    const due = Math.max(wait, asked + every() - Date.now());
    clearTimeout(pending);
    pending = setTimeout(() => { pending = undefined; ask(); }, due);
  }

  /** Asks soon after what is under way. */
  function again(wait) {
    if (busy) isMissed = true;
    else soon(wait);
  }

  function hear(said) {
    if (isEnded) return;
    if (said.kind === 'none') {
      isLive = false;
      isLost = false;
      isAsking = true;
      if (!pending && !busy) soon(Math.random() * TURN);
      tell();
      return;
    }
    if (isAsking) {
      // What comes next it is told, but not what came since it asked last.
      isAsking = false;
      again(Math.random() * SPREAD);
    }
    if (said.kind === 'lost') {
      isLive = false;
      isLost = true;
      // Is the link gone, or the connection?
      soon(1_000 + Math.random() * SPREAD);
      tell();
      return;
    }
    isLive = true;
    isLost = false;
    const watch = view()?.dataset.watch;
    const isOwn = isOfTime || (said.kind === 'changed'
      && (!said.nodes || (name === 'alerts' ? said.alerts : watch ? said.nodes.includes(watch) || said.alerts : true)));
    if (isOwn) {
      if (!pending) again(connection.ask ? 0 : Math.random() * SPREAD);
    } else if (!pending && !busy && holds()) {
      at = Math.max(at, said.at);
    }
    tell();
  }

  const connection = stream ? shared(relayUrl, stream, hear) : undefined;

  function seen(is) {
    if (is === isSeen || isEnded) return;
    isSeen = is;
    if (is) {
      connection?.start();
      // What was missed meanwhile.
      if (Date.now() - asked > every()) ask();
      else if (!connection) soon(POLL);
    } else {
      connection?.stop();
      clearTimeout(pending);
      pending = undefined;
      isLive = false;
      isAsking = false;
    }
    tell();
  }

  let isInView = true;
  const look = () => seen(isInView && !document.hidden);
  if (typeof IntersectionObserver === 'function') {
    new IntersectionObserver((entries) => {
      isInView = entries.at(-1).isIntersecting;
      look();
    }).observe(document.body);
  } else {
    look();
  }
  document.addEventListener('visibilitychange', look);
  addEventListener('pagehide', () => seen(false));
  addEventListener('pageshow', look);
  addEventListener('online', () => { failed = 0; soon(); tell(); });
  addEventListener('offline', () => { isLive = false; tell(); });
  new ResizeObserver(height).observe(document.body);
  setInterval(() => {
    if (!isSeen || isEnded) return;
    ages();
    tell();
  }, 1_000);
  ages();
  axis();
  tell();
  read(main);
}

/** The crosshair of a chart: by pointer, finger and keyboard. */
function read(main) {
  const SVG = 'http://www.w3.org/2000/svg';
  const parts = () => {
    const plot = main.querySelector('.plot');
    const data = main.querySelector('script.data');
    return plot && data ? { plot, cross: plot.querySelector('.cross'), tip: main.querySelector('.tip'), data: JSON.parse(data.textContent) } : null;
  };
  const draw = (tag, attributes) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const clear = () => {
    const found = parts();
    found?.cross.replaceChildren();
    if (found) found.tip.hidden = true;
  };
  const point = (index) => {
    const { plot, cross, tip, data } = parts();
    const last = Number(plot.getAttribute('aria-valuemax'));
    const x = `${(100 * index) / Math.max(last, 1)}%`;
    const at = clock(data.start + data.step * index, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
    const lines = data.lines.map(({ name, words, heights }, line) => ({ name, line, words: words[index] || '–', height: heights[index] }));
    cross.replaceChildren(draw('line', { x1: x, x2: x, y1: '0', y2: '100%' }), ...lines
      .filter(({ height }) => height !== null)
      .map(({ line, height }) => draw('circle', { class: `dot s${line % 8}`, cx: x, cy: `${(1 - height) * 100}%`, r: 3.5 })));
    const words = lines.map(({ name, words: value }) => (name ? `${name} ${value}` : value));
    const time = document.createElement('span');
    time.textContent = at;
    tip.replaceChildren(time, ...lines.map(({ name, words: value, line }) => {
      const one = document.createElement('b');
      one.className = `value s${line % 8}`;
      one.textContent = name ? `${name} ${value}` : value;
      return one;
    }));
    tip.hidden = false;
    tip.classList.toggle('tip-left', index > last / 2);
    plot.setAttribute('aria-valuenow', index);
    plot.setAttribute('aria-valuetext', `${at}: ${words.join(', ')}`);
  };
  const under = ({ target, clientX }) => {
    const plot = target.closest?.('.plot');
    if (!plot) return;
    const { left, width } = plot.getBoundingClientRect();
    const last = Number(plot.getAttribute('aria-valuemax'));
    point(Math.round(Math.min(1, Math.max(0, (clientX - left) / width)) * last));
  };
  main.addEventListener('pointermove', under);
  main.addEventListener('pointerdown', under);
  main.addEventListener('pointerout', ({ target, pointerType }) => {
    if (target.closest?.('.plot') && pointerType !== 'touch') clear();
  });
  main.addEventListener('focusout', clear);
  main.addEventListener('keydown', (event) => {
    const plot = event.target.closest?.('.plot');
    if (!plot) return;
    const last = Number(plot.getAttribute('aria-valuemax'));
    const index = Number(plot.getAttribute('aria-valuenow'));
    const far = Math.max(1, Math.round(last / 10));
    const next = {
      ArrowLeft: index - 1, ArrowRight: index + 1, ArrowDown: index - 1, ArrowUp: index + 1,
      PageDown: index - far, PageUp: index + far, Home: 0, End: last,
    }[event.key];
    if (event.key === 'Escape') clear();
    if (next === undefined) return;
    event.preventDefault();
    point(Math.min(last, Math.max(0, next)));
  });
}

if (typeof document === 'undefined') relay();
else {
  const main = document.getElementById('panel');
  addEventListener('message', ({ source, data }) => {
    if (source === parent && data?.type === 'fleetglass:theme' && ['auto', 'light', 'dark'].includes(data.theme)) {
      document.documentElement.dataset.theme = data.theme;
    }
  });
  if (main?.dataset.fragment) panel(main);
  else if (main) {
    if (parent !== self) parent.postMessage({ type: 'fleetglass:height', height: wantedHeight(), panel: 'said' }, '*');
    // What is not there now may come: a node that was not asked yet, a server that has just started.
    if ('again' in main.dataset) setInterval(() => { if (!document.hidden) location.reload(); }, 2 * POLL * (0.75 + Math.random() / 2));
  }
}
