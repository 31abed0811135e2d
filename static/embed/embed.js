// <fleetglass-panel src="https://fleet.example/embed/TOKEN?view=fleet">: a panel in a page, as high as it likes to be.
//
// Attributes: `src`; `height` (pixels) or `ratio` (`16/9`), else the panel says its height itself; `theme` (auto, light,
// dark; auto is that of the page here, also when it changes); `title` for readers of the screen. What stands in
// `slot="error"` is shown when the panel does not come. No inline style, no eval: the strictest page may have it.

const PATIENCE = 15_000;

class FleetglassPanel extends HTMLElement {
  static observedAttributes = ['src', 'height', 'ratio', 'theme', 'title'];

  #frame;
  #sheet = new CSSStyleSheet();
  #waiting;
  #isHeard = false;
  #height = 320;
  #ends = [];

  connectedCallback() {
    if (!this.shadowRoot) {
      const root = this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [this.#sheet];
      this.#frame = document.createElement('iframe');
      this.#frame.loading = 'lazy';
      const slot = document.createElement('slot');
      slot.name = 'error';
      slot.hidden = true;
      slot.textContent = 'This panel did not come.';
      root.append(this.#frame, slot);
      this.#frame.addEventListener('load', () => {
        clearTimeout(this.#waiting);
        // A frame that may not be shown here loads as an empty one, which says nothing.
        if (this.#frame.src && !this.#isHeard) this.#waiting = setTimeout(() => this.#fail(true), PATIENCE);
      });
    }
    const listen = (target, name, handler) => {
      target.addEventListener(name, handler);
      this.#ends.push(() => target.removeEventListener(name, handler));
    };
    listen(window, 'message', (event) => this.#hear(event));
    const media = matchMedia('(prefers-color-scheme: dark)');
    listen(media, 'change', () => this.#dress());
    const watcher = new MutationObserver(() => this.#dress());
    const attributes = { attributes: true, attributeFilter: ['class', 'style', 'data-theme', 'data-color-mode'] };
    [document.documentElement, document.body].forEach((element) => watcher.observe(element, attributes));
    this.#ends.push(() => watcher.disconnect());
    this.#lay();
    this.#load();
  }

  disconnectedCallback() {
    clearTimeout(this.#waiting);
    this.#ends.splice(0).forEach((end) => end());
  }

  attributeChangedCallback(name) {
    if (!this.#frame) return;
    if (name === 'src') this.#load();
    else if (name === 'theme') this.#dress();
    else this.#lay();
  }

  get #source() {
    const own = this.getAttribute('src');
    try {
      return own ? new URL(own, document.baseURI) : null;
    } catch {
      return null;
    }
  }

  /** `light` or `dark`: what this place of the page is. */
  get #scheme() {
    const own = this.getAttribute('theme') ?? this.#source?.searchParams.get('theme') ?? 'auto';
    if (own !== 'auto') return own;
    const scheme = getComputedStyle(this).colorScheme;
    if (scheme.includes('dark') && scheme.includes('light')) {
      return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
    }
    return scheme.includes('dark') ? 'dark' : 'light';
  }

  #load() {
    const source = this.#source;
    if (!source || !/^https?:$/.test(source.protocol)) {
      this.#fail(true);
      return;
    }
    this.#fail(false);
    source.searchParams.set('theme', this.#scheme);
    if (this.#frame.src === source.href) return;
    this.#isHeard = false;
    this.#frame.src = source.href;
  }

  #dress() {
    this.#lay();
    this.#frame.contentWindow?.postMessage({ type: 'fleetglass:theme', theme: this.#scheme }, '*');
  }

  #hear({ source, origin, data }) {
    if (source !== this.#frame.contentWindow || data?.type !== 'fleetglass:height' || origin !== this.#source?.origin) return;
    clearTimeout(this.#waiting);
    this.#isHeard = true;
    this.#fail(false);
    this.#height = Math.min(Math.max(Number(data.height) || 0, 40), 4_000);
    this.#lay();
    this.dispatchEvent(new CustomEvent('fleetglass-height', { detail: { height: this.#height } }));
  }

  #lay() {
    const number = Number(this.getAttribute('height'));
    const ratio = /^\s*(\d+(?:\.\d+)?)\s*[/:]\s*(\d+(?:\.\d+)?)\s*$/.exec(this.getAttribute('ratio') ?? '');
    const room = number > 0 ? `height: ${number}px` : ratio ? `aspect-ratio: ${ratio[1]} / ${ratio[2]}` : `height: ${this.#height}px`;
    // The ground is transparent where the frame's scheme is that of its element.
    this.#sheet.replaceSync(`:host { display: block } :host([hidden]) { display: none }
      iframe { display: block; width: 100%; border: 0; color-scheme: ${this.#scheme}; ${room} }
      iframe[hidden], slot[hidden] { display: none }`);
    this.#frame.title = this.getAttribute('title') || `Fleetglass: ${this.#source?.searchParams.get('view') ?? 'fleet'}`;
  }

  #fail(is) {
    this.#frame.hidden = is;
    this.shadowRoot.querySelector('slot').hidden = !is;
    this.toggleAttribute('data-failed', is);
  }
}

if (!customElements.get('fleetglass-panel')) customElements.define('fleetglass-panel', FleetglassPanel);
