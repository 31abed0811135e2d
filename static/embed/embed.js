// <fleetglass-panel src="https://fleet.example/embed/TOKEN?view=fleet">: a panel in a page, as high as it likes to be.
//
// Attributes, each also a property: `src`; `height` (pixels) or `ratio` (`16/9`), else the panel says its height itself;
// `theme` (auto, light, dark; auto is that of the page here, also when it changes); `title` for readers of the screen. What
// stands in `slot="error"` is shown when the panel does not come. No inline style, no eval: the strictest page may have it.

const PATIENCE = 15_000;
/** A panel that did not come is tried again, less and less often. */
const FIRST_AGAIN = 30_000;
const LAST_AGAIN = 600_000;
const FRAME_HEIGHT = 320;
const ATTRIBUTES = ['src', 'height', 'ratio', 'theme'];
const FIXED = new CSSStyleSheet();
// The probe's colour says which scheme the page has here, and its transition when that changes.
FIXED.replaceSync(`:host { display: block } :host([hidden]), slot[hidden] { display: none }
  iframe { display: block; width: 100%; border: 0 } iframe[hidden] { height: 0; aspect-ratio: auto; visibility: hidden }
  span { position: absolute; visibility: hidden; color: light-dark(#fff, #000); transition: color 1ms step-end; forced-color-adjust: none }`);

/** The panel of an address; a link's own page, which is what people have at hand, has one that is nearest to it. */
function panelOf(url) {
  const [, base, token, place, name] = /^(.*)\/s\/([0-9a-f]{64})(?:\/([^/]*)(?:\/([^/]*))?)?\/?$/.exec(url.pathname) ?? [];
  if (!token) return url;
  const view = { nodes: name ? 'node' : 'fleet', alerts: 'alerts', risks: 'risk' }[place] ?? 'fleet';
  url.pathname = `${base}/embed/${token}`;
  url.search = new URLSearchParams(view === 'node' ? { view, node: decodeURIComponent(name) } : { view });
  return url;
}

class FleetglassPanel extends HTMLElement {
  static observedAttributes = [...ATTRIBUTES, 'title'];

  #frame;
  #probe;
  #slot;
  #sheet = new CSSStyleSheet();
  #waiting;
  #again;
  #tries = 0;
  #isHeard = false;
  // No attribute: what frameworks have written stays as they wrote it.
  #isFailed = false;
  #height = FRAME_HEIGHT;
  #ends = [];

  connectedCallback() {
    if (!this.shadowRoot) this.#build();
    const listen = (target, name, handler) => {
      target.addEventListener(name, handler);
      this.#ends.push(() => target.removeEventListener(name, handler));
    };
    listen(window, 'message', (event) => this.#hear(event));
    listen(window, 'online', () => { if (this.#isFailed) this.#load(); });
    // The probe tells of every change of scheme; browsers without `light-dark()` are watched from outside.
    listen(this.#probe, 'transitionend', () => this.#dress());
    listen(matchMedia('(prefers-color-scheme: dark)'), 'change', () => this.#dress());
    const watcher = new MutationObserver(() => this.#dress());
    const attributes = { attributes: true, attributeFilter: ['class', 'style', 'data-theme', 'data-color-mode'] };
    [document.documentElement, document.body].forEach((element) => watcher.observe(element, attributes));
    this.#ends.push(() => watcher.disconnect());
    // What was set before this script came hides the properties below.
    for (const name of ATTRIBUTES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.#load();
  }

  disconnectedCallback() {
    clearTimeout(this.#waiting);
    clearTimeout(this.#again);
    this.#ends.splice(0).forEach((end) => end());
  }

  attributeChangedCallback(name, before, now) {
    if (!this.#frame || !this.isConnected || before === now) return;
    if (name === 'src') this.#load();
    else if (name === 'theme') this.#dress();
    else this.#lay();
  }

  #build() {
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [FIXED, this.#sheet];
    this.#frame = document.createElement('iframe');
    this.#probe = document.createElement('span');
    this.#slot = document.createElement('slot');
    this.#slot.name = 'error';
    this.#slot.hidden = true;
    this.#slot.textContent = 'This panel did not come.';
    root.append(this.#frame, this.#probe, this.#slot);
  }

  get #source() {
    const own = this.getAttribute('src');
    try {
      return own ? panelOf(new URL(own, document.baseURI)) : null;
    } catch {
      return null;
    }
  }

  /** `light` or `dark`: what this place of the page is. */
  get #scheme() {
    const own = this.getAttribute('theme') ?? this.#source?.searchParams.get('theme') ?? 'auto';
    if (own !== 'auto') return own;
    if (CSS.supports('color', 'light-dark(#fff, #000)')) {
      return getComputedStyle(this.#probe).color === 'rgb(0, 0, 0)' ? 'dark' : 'light';
    }
    const scheme = getComputedStyle(this).colorScheme;
    if (scheme.includes('dark') && scheme.includes('light')) {
      return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
    }
    return scheme.includes('dark') ? 'dark' : 'light';
  }

  /** A new frame each time: one that goes elsewhere would put a step into the page's history. */
  #load(isAgain = false) {
    clearTimeout(this.#waiting);
    clearTimeout(this.#again);
    if (!isAgain) this.#tries = 0;
    this.#isHeard = false;
    const source = this.#source;
    const isOne = source && /^https?:$/.test(source.protocol);
    const frame = document.createElement('iframe');
    if (isOne) {
      source.searchParams.set('theme', this.#scheme);
      // Who failed stays out of sight until it is heard, and is fetched there.
      frame.loading = isAgain ? 'eager' : 'lazy';
      frame.src = source.href;
      frame.addEventListener('load', () => {
        if (frame !== this.#frame) return;
        this.#dress();
        // A frame that may not be shown here loads as an empty one, which says nothing.
        clearTimeout(this.#waiting);
        if (!this.#isHeard) this.#waiting = setTimeout(() => this.#fail(true), PATIENCE);
      });
    }
    this.#frame.replaceWith(frame);
    this.#frame = frame;
    if (isAgain) frame.hidden = true;
    else this.#fail(!isOne);
    this.#lay();
  }

  #dress() {
    this.#lay();
    this.#frame.contentWindow?.postMessage({ type: 'fleetglass:theme', theme: this.#scheme }, '*');
  }

  #hear({ source, origin, data }) {
    if (source !== this.#frame.contentWindow || data?.type !== 'fleetglass:height' || origin !== this.#source?.origin) return;
    clearTimeout(this.#waiting);
    this.#isHeard = true;
    this.#tries = 0;
    this.#fail(false);
    this.#height = Math.min(Math.max(Number(data.height) || 0, 40), 4_000);
    this.#lay();
    this.dispatchEvent(new CustomEvent('fleetglass-height', { detail: { height: this.#height } }));
  }

  #lay() {
    const number = Number(this.getAttribute('height')?.replace(/px\s*$/, ''));
    const ratio = /^\s*(\d+(?:\.\d+)?)\s*[/:]\s*(\d+(?:\.\d+)?)\s*$/.exec(this.getAttribute('ratio') ?? '');
    const room = number > 0 ? `height: ${number}px` : ratio ? `aspect-ratio: ${ratio[1]} / ${ratio[2]}` : `height: ${this.#height}px`;
    // The ground is transparent where the frame's scheme is that of its element.
    this.#sheet.replaceSync(`iframe { color-scheme: ${this.#scheme}; ${room} }`);
    this.#frame.title = this.getAttribute('title') || `Fleetglass: ${this.#source?.searchParams.get('view') ?? 'fleet'}`;
  }

  #fail(is) {
    this.#frame.hidden = is;
    this.#slot.hidden = !is;
    this.#isFailed = is;
    clearTimeout(this.#again);
    if (!is || !this.#frame.src) return;
    const wait = Math.min(FIRST_AGAIN * 2 ** this.#tries, LAST_AGAIN);
    this.#tries += 1;
    this.#again = setTimeout(() => this.#load(true), wait * (0.5 + Math.random() / 2));
  }
}

for (const name of ATTRIBUTES) {
  Object.defineProperty(FleetglassPanel.prototype, name, {
    configurable: true,
    enumerable: true,
    get() { return this.getAttribute(name) ?? ''; },
    set(value) {
      if (value === null || value === undefined) this.removeAttribute(name);
      else this.setAttribute(name, value);
    },
  });
}

if (!customElements.get('fleetglass-panel')) customElements.define('fleetglass-panel', FleetglassPanel);
