// The harness of the browser stories: the real binary on free ports, and a page that tolerates no error.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const modules = process.env.FLEETGLASS_NODE_MODULES ?? join(here, 'node_modules');
const binary = process.env.FLEETGLASS_BIN ?? join(here, '../../target/debug/fleetglass');
const executablePath =
  process.env.FLEETGLASS_CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);

/** How long anything may take on a busy machine. */
export const PATIENCE = Number(process.env.FLEETGLASS_PATIENCE_MS ?? 60_000);
export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };
export const NARROW = { width: 320, height: 640 };

if (!existsSync(binary)) throw new Error(`no binary at ${binary}: run \`cargo xtask test --only browser\``);
if (!existsSync(modules)) throw new Error(`no Node modules at ${modules}: run \`cargo xtask setup\``);
const require = createRequire(join(modules, 'playwright-core', 'package.json'));
const { chromium } = require('playwright-core');
const { AxeBuilder } = createRequire(join(modules, '@axe-core', 'playwright', 'package.json'))('@axe-core/playwright');

/** Looks again and again until `look` gives something true; gives that. */
export async function eventually(what, look, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  let seen;
  while (Date.now() < deadline) {
    try {
      seen = await look();
      if (seen) return seen;
    } catch (error) {
      seen = error.message;
    }
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  assert.fail(`${what}: not so after ${patience / 1000} s; last seen: ${seen}`);
}

/** A process of the binary, and what it has said. Wait for a line of it with `says`. */
class Process {
  constructor(args, options = {}) {
    this.said = '';
    const env = { ...process.env, NO_COLOR: '1' };
    this.child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env, ...options });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { this.said += text; });
    }
    this.ended = new Promise((resolve) => { this.child.on('exit', resolve); });
    this.child.on('exit', (code) => { this.code = code ?? 'a signal'; });
    // A story that fails half way must neither leave it behind nor be kept from ending by it.
    this.reap = () => this.child.kill('SIGKILL');
    this.child.unref();
    this.child.stdout.unref();
    this.child.stderr.unref();
    process.on('exit', this.reap);
  }

  says(words) {
    return eventually(`fleetglass says ${words}`, () => {
      if (this.code !== undefined) throw new Error(`it ended with ${this.code}: ${this.said}`);
      return this.said.match(words);
    });
  }

  async stop(signal = 'SIGKILL') {
    this.child.ref();
    this.child.kill('SIGCONT');
    this.child.kill(signal);
    await this.ended;
    process.off('exit', this.reap);
  }
}

/** `fleetglass demo`: a simulated fleet and its dashboard. Gives `{ url, process, stop }`. */
export async function startDemo({ nodes = 60, seed = 7, faults = 'all', interval = '1s' } = {}) {
  const args = ['demo', '--listen', '127.0.0.1:0', '--nodes', nodes, '--seed', seed, '--faults', faults, '--interval', interval];
  const running = new Process(args.map(String));
  const [, url] = await running.says(/(http:\/\/127\.0\.0\.1:\d+)/);
  await everyNodeAsked(url);
  return { url, process: running, stop: () => running.stop() };
}

/** `fleetglass sim`: only the simulated nodes. Gives `{ targetsFile, stop }`. */
export async function startSim({ nodes = 10, seed = 7, faults = 'none' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'fleetglass-sim-'));
  const targetsFile = join(folder, 'targets.json');
  const args = ['sim', '--nodes', nodes, '--listen', '127.0.0.1:0', '--seed', seed, '--faults', faults, '--targets-file', targetsFile];
  const running = new Process(args.map(String));
  await running.says(/nodes run/);
  return { targetsFile, stop: async () => { await running.stop(); rmSync(folder, { recursive: true }); } };
}

/** `fleetglass serve` with a config; `listen` keeps the address over a restart. */
export async function startServe(config, { listen = '127.0.0.1:0', files = {}, ready = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'fleetglass-serve-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'fleetglass.toml'), `[server]\nlisten = "${listen}"\n${config}`);
  const running = new Process(['serve', '--config', 'fleetglass.toml'], { cwd: folder });
  const [, url] = await running.says(/listening on (https?:\/\/\S+)/);
  if (ready) await everyNodeAsked(url);
  return { url, folder, process: running, stop: async () => { await running.stop(); rmSync(folder, { recursive: true }); } };
}

/** Runs the binary to its end; gives what it printed. */
export async function run(args) {
  const running = new Process(args);
  assert.equal(await running.ended, 0, running.said);
  return running.said;
}

async function everyNodeAsked(url) {
  await eventually('every node was asked', async () => {
    const answer = await fetch(`${url}/readyz`);
    const text = await answer.text();
    if (!answer.ok || text.includes(': 0 nodes')) throw new Error(text);
    return true;
  }, 60_000);
}

/** A node that answers `pages[path]` (a string is JSON; null hangs up). Gives `{ url, pages, stop }`. */
export async function startNode(pages) {
  const server = createServer((request, response) => {
    const page = pages[request.url];
    if (page === null) return request.socket.destroy();
    if (page === undefined) return response.writeHead(404).end('not found\n');
    const { status = 200, type = 'application/json', body = page } = typeof page === 'string' ? {} : page;
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  // A story that fails half way ends all the same.
  server.unref().on('connection', (socket) => socket.unref());
  const stop = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  return { url: `http://127.0.0.1:${server.address().port}`, pages, stop };
}

/** What the API says of the fleet now. */
export async function fleetOf(url) {
  return (await fetch(`${url}/api/v1/fleet`)).json();
}

/** One Chromium for a file of stories. */
export function openBrowser() {
  assert.ok(executablePath, 'no Chromium: run `cargo xtask setup`');
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
  return chromium.launch({ executablePath, headless: true, args });
}

/**
 * A page in a context of its own. Whatever goes wrong in it is kept: `page.faults()` gives it, and closing
 * the page with `page.done()` fails when there was anything that no pattern of `expected` matches.
 * `page.asked` has the URLs of all its requests.
 */
export async function openPage(browser, url, { viewport = DESKTOP, theme = 'light', touch = false, expected = [], scale = 1, reducedMotion = 'no-preference', ignoreHTTPSErrors = false } = {}) {
  const context = await browser.newContext({ viewport, colorScheme: theme, hasTouch: touch, deviceScaleFactor: scale, reducedMotion, ignoreHTTPSErrors });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const seen = [];
  page.asked = [];
  page.on('request', (request) => page.asked.push(request.url()));
  page.on('console', (message) => {
    // The service worker looks for a new one of itself, also while the server is gone.
    if (/error occurred when fetching the script/.test(message.text())) return;
    if (message.type() === 'error') seen.push(`console: ${message.text()} (${message.location().url})`);
  });
  // What the stub of a function does when nobody foresaw its call: right, but the page stands still meanwhile.
  page.on('request', (request) => {
    if (request.resourceType() === 'xhr') seen.push(`late: a part of the app was fetched in the middle of a call: ${request.url()}`);
  });
  page.on('pageerror', (error) => seen.push(`error: ${error.message}`));
  await page.exposeFunction('tellViolation', (text) => { seen.push(text); });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.tellViolation(`policy: ${event.violatedDirective} blocked ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  page.faults = () => seen.filter((fault) => !expected.some((pattern) => pattern.test(fault)));
  page.done = async () => {
    const faults = page.faults();
    await context.close();
    assert.deepEqual(faults, [], 'the page had errors');
  };
  await page.goto(url);
  return page;
}

/** Waits until the page shows a live fleet. */
export async function live(page) {
  await page.locator('.connection', { hasText: 'live' }).waitFor();
}

/** The rows of nodes that are in the page. */
export function rows(page) {
  return page.getByRole('grid', { name: 'Nodes' }).getByRole('row').filter({ has: page.getByRole('rowheader') });
}

/** The row of one node. */
export function row(page, id) {
  return rows(page).filter({ has: page.getByRole('link', { name: id, exact: true }) });
}

/** The tiles of the heat grid, each a link that says its node and state. */
export function tiles(page) {
  return page.getByRole('group', { name: 'Nodes', exact: true }).getByRole('link');
}

export function filterBox(page) {
  return page.getByLabel(/^Filter the nodes/);
}

/** `n of m nodes` or `m nodes`, as numbers. */
export async function counted(page) {
  const words = await page.locator('.toolbar-title').innerText();
  const numbers = words.replaceAll(/[^\d ]/g, '').trim().split(/ +/).map(Number);
  return { shown: numbers[0], total: numbers.at(-1), words };
}

/** Fails when anything sticks out sideways. */
export async function assertNoSidewaysScroll(page, what) {
  const wide = await page.evaluate(() => {
    const limit = document.documentElement.clientWidth;
    const found = [];
    if (document.documentElement.scrollWidth > limit) found.push(`page: ${document.documentElement.scrollWidth} > ${limit}`);
    for (const box of document.querySelectorAll('.page, .page-body')) {
      if (box.scrollWidth > box.clientWidth) found.push(`${box.className}: ${box.scrollWidth} > ${box.clientWidth}`);
    }
    if (found.length) {
      const culprits = [...document.querySelectorAll('main *')].filter((element) => element.getBoundingClientRect().right > limit + 1);
      found.push(...culprits.slice(0, 8).map((element) => `${element.tagName}.${element.className?.baseVal ?? element.className}`));
    }
    return found;
  });
  assert.deepEqual(wide, [], `${what} scrolls sideways`);
}

/** Fails on findings of axe that are serious or critical. */
export async function assertAccessible(page, what) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  const words = grave.map(({ id, help, nodes }) => ({ id, help, count: nodes.length, first: nodes[0].html.slice(0, 200), why: nodes[0].failureSummary }));
  assert.deepEqual(words, [], `${what}: axe has serious findings`);
}

/**
 * What can be pressed and is smaller than 44 × 44 px. Exempt is what WCAG 2.5.5 exempts: a link in a sentence, and
 * what lies in something large that does the same (a row that a press opens, the label of a box to tick).
 */
export async function smallTargets(page) {
  return page.evaluate(() => {
    const LEAST = 43.9;
    const PRESSED = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=tab], [role=option], [role=row][tabindex]';
    const isLarge = (box) => box.width >= LEAST && box.height >= LEAST;
    // What lies over all of a card, to be pressed for it, is as large as that.
    const sizeOf = (element) => {
      const [own, over] = [element.getBoundingClientRect(), getComputedStyle(element, '::after')];
      const covers = over.position === 'absolute' && over.content !== 'none';
      return covers ? { ...own.toJSON(), width: parseFloat(over.width), height: parseFloat(over.height) } : own;
    };
    const isSeen = (element) => {
      const { width, height } = sizeOf(element);
      const hidden = '[aria-hidden=true], [inert], .sr-only, .skip-link';
      return width > 1 && height > 1 && !element.closest(hidden)
        && element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
        // No finger reaches it: it stands in a card that a press opens.
        && getComputedStyle(element).pointerEvents !== 'none';
    };
    // Words of the same paragraph, list item or cell that are not the link's.
    const isInSentence = (link) => {
      if (link.tagName !== 'A' || !getComputedStyle(link).display.startsWith('inline')) return false;
      let block = link.parentElement;
      while (getComputedStyle(block).display === 'inline') block = block.parentElement;
      if (/flex|grid/.test(getComputedStyle(block).display)) return false;
      const words = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
      while (words.nextNode()) {
        if (!words.currentNode.parentElement.closest('a, button, .sr-only') && /\w{2}/.test(words.currentNode.data)) return true;
      }
      return false;
    };
    // A finger at the ends of a cross of 44 px still hits it: what pads it may be no part of its box.
    const isHit = (element) => {
      element.scrollIntoView({ block: 'center', inline: 'center' });
      const { left, top, width, height } = element.getBoundingClientRect();
      const [x, y] = [left + width / 2, top + height / 2];
      const hits = (at) => at && (element.contains(at) || [...(element.labels ?? [])].some((label) => label.contains(at)));
      return [[-21.5, 0], [21.5, 0], [0, -21.5], [0, 21.5]].every(([dx, dy]) => hits(document.elementFromPoint(x + dx, y + dy)));
    };
    const isFine = (element) => isLarge(sizeOf(element)) || isInSentence(element)
      || [...(element.labels ?? [])].some((label) => label.contains(element) && isLarge(sizeOf(label)))
      || (element.tagName === 'A' && isLarge(sizeOf(element.closest('[role=row][tabindex]') ?? element)))
      || isHit(element);
    const modal = document.querySelector('dialog:modal');
    const small = [...(modal ?? document).querySelectorAll(PRESSED)].filter((element) => isSeen(element) && !isFine(element)).map((element) => {
      const { width, height } = sizeOf(element);
      const name = (element.getAttribute('aria-label') ?? element.innerText ?? '').trim().replaceAll(/\s+/g, ' ').slice(0, 40);
      return `${element.tagName.toLowerCase()}.${element.className} “${name}”: ${Math.round(width)} × ${Math.round(height)}`;
    });
    return [...new Set(small)];
  });
}

/** How many different colours a canvas shows; 1 or 0 when it is blank. */
export function coloursOf(canvas) {
  return canvas.evaluate((element) => {
    const { width, height } = element;
    if (!width || !height) return 0;
    const { data } = element.getContext('2d').getImageData(0, 0, width, height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
}
