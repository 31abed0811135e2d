// Measures, it does not test: the first view of a thousand nodes on a slow phone, cold and warm, and what watching costs.
// `cargo xtask bench phone` runs it with the release binary and prints what it prints.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PHONE, eventually, live, openBrowser, openPage, startDemo } from './harness.mjs';

// "Slow 4G" of Chromium's DevTools (front_end/core/sdk/NetworkManager.ts), and "4x slowdown" of its performance panel.
const SLOW_4G = { offline: false, downloadThroughput: 1.6 * 1_000_000 / 8 * 0.9, uploadThroughput: 750 * 1_000 / 8 * 0.9, latency: 150 * 3.75 };
const SLOWER = 4;
const NODES = Number(process.env.FLEETGLASS_BENCH_NODES ?? 1_000);
const TIMES = Number(process.env.FLEETGLASS_BENCH_TIMES ?? 5);
const WATCH_S = 60;
// A page of a fleet that changes is measured differently from one time to the next.
const RUNS = 3;

const demo = await startDemo({ nodes: NODES, interval: '15s', faults: 'none' });
const browser = await openBrowser();
const cold = [];
const warm = [];
const whole = [];
for (let time = 0; time < TIMES; time += 1) {
  const page = await openPage(browser, 'about:blank', { viewport: PHONE, touch: true, expected: [/.*/] });
  await page.addInitScript(firstView);
  const session = await slow(page);
  cold.push(await seen(page, demo.url));
  await live(page);
  whole.push(await page.evaluate(() => performance.now()));
  // The worker fetches its files now; at the next visit it is there.
  await session.send('Network.emulateNetworkConditions', { ...SLOW_4G, downloadThroughput: -1, uploadThroughput: -1, latency: 0 });
  await eventually('the worker is there', () => page.evaluate(async () => (
    (await navigator.serviceWorker.getRegistration())?.active?.state === 'activated'
  )));
  await page.evaluate(() => dispatchEvent(new Event('pagehide')));
  await page.goto('about:blank');
  await slow(page);
  warm.push(await seen(page, demo.url));
  await page.context().close();
}
say('first view, cold', cold, 2_500);
say('first view, warm', warm, 1_000);
say('the whole app, live, cold', whole);

await watch(demo.url, 'all well');
lighthouse(demo.url);
await demo.stop();

const troubled = await startDemo({ nodes: NODES, interval: '15s', faults: 'all' });
await watch(troubled.url, 'with troubles that come and go');
await troubled.stop();

// What `cargo xtask demo` shows, and a link to it, once its first alerts fire: a page whose banner changes its colour in
// the first minute is not "visually complete" before.
const small = await startDemo();
await new Promise((resolve) => setTimeout(resolve, 120_000));
lighthouse(small.url);
const answer = await fetch(`${small.url}/api/v1/shares`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ title: 'For Acme', scope: { select: ['{instance!=""}'], views: ['fleet', 'node', 'charts', 'alerts', 'risks'] } }),
});
lighthouse(new URL((await answer.json()).path, small.url).href);
await small.stop();
await browser.close();
process.exit(0);

/** What watching a fleet costs in a minute. */
async function watch(url, how) {
  const page = await openPage(browser, url, { viewport: PHONE, touch: true, expected: [/.*/] });
  await live(page);
  await page.waitForRequest((request) => /detail=low&nodes=./.test(request.url()));
  await page.waitForTimeout(5_000);
  const session = await page.context().newCDPSession(page);
  let bytes = 0;
  const addresses = new Map();
  const parts = new Map();
  const count = (id, more) => {
    bytes += more;
    const what = (addresses.get(id) ?? 'else').replace(url, '').split('?')[0];
    parts.set(what, (parts.get(what) ?? 0) + more);
  };
  session.on('Network.requestWillBeSent', ({ requestId, request }) => { addresses.set(requestId, request.url); });
  session.on('Network.dataReceived', ({ requestId, encodedDataLength }) => count(requestId, encodedDataLength));
  session.on('Network.responseReceived', ({ requestId, response }) => count(requestId, response.encodedDataLength));
  await session.send('Network.enable');
  // Events of a stream that was opened before are not told: it is opened anew, from where it is.
  await page.evaluate(() => dispatchEvent(new Event('fleetglass-refresh')));
  await page.waitForTimeout(WATCH_S * 1000);
  console.log(`watching ${NODES} nodes on a phone, ${how}: ${(bytes / 1000 / WATCH_S * 60).toFixed(1)} KB a minute on the wire, limit 30 KB`);
  for (const [what, size] of parts) console.log(`  ${(size / 1000).toFixed(1)} KB ${what}`);
  await session.send('Page.enable');
  // Chromium itself says what keeps it from installing.
  const { errors } = await session.send('Page.getAppManifest');
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  const against = [...errors.map(({ message }) => message), ...installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')];
  console.log(`installable, by Chromium: ${against.length ? `no: ${against.join(', ')}` : 'yes'}`);
  await page.context().close();
}

/** Notes when the state of the fleet can be read: in the page, and painted. */
function firstView() {
  const look = () => {
    const text = document.querySelector('.attention-title, .all-well-words')?.textContent ?? '';
    if (!/\d|well/.test(text)) return requestAnimationFrame(look);
    return requestAnimationFrame(() => setTimeout(() => { globalThis.firstViewAt = performance.now(); }));
  };
  requestAnimationFrame(look);
}

async function slow(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', SLOW_4G);
  await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  return session;
}

async function seen(page, url) {
  await page.goto(url, { waitUntil: 'commit' });
  return page.waitForFunction(() => globalThis.firstViewAt).then((handle) => handle.jsonValue());
}

function say(what, list, limit) {
  const sorted = [...list].sort((a, b) => a - b);
  const words = (ms) => `${(ms / 1000).toFixed(2)} s`;
  const end = limit ? `, limit ${words(limit)}` : '';
  console.log(`${what}: min ${words(sorted[0])}, median ${words(sorted[sorted.length >> 1])}, max ${words(sorted.at(-1))} of ${sorted.length}${end}`);
}

/** Lighthouse's figures, medians of some runs; `cargo xtask bench phone` says where its packages are. */
function lighthouse(url) {
  const modules = process.env.FLEETGLASS_LIGHTHOUSE;
  const program = modules && join(modules, 'lighthouse/cli/index.js');
  if (!program || !existsSync(program)) {
    console.log('lighthouse: not installed; set FLEETGLASS_LIGHTHOUSE to a node_modules folder with it');
    return;
  }
  const reports = Array.from({ length: RUNS }, () => reportOf(program, url) ?? reportOf(program, url)).filter(Boolean);
  if (reports.length < RUNS) {
    console.log('lighthouse: no report');
    return;
  }
  const by = (report) => report.categories.performance.score;
  reports.sort((one, other) => by(one) - by(other));
  const { categories: found, audits, lighthouseVersion } = reports[RUNS >> 1];
  const scores = Object.values(found).map(({ title, score }) => `${title} ${Math.round(score * 100)}`);
  console.log(`lighthouse ${lighthouseVersion}, ${url}: ${scores.join(', ')}`);
  console.log(`  the run in the middle of ${RUNS}, whose performance is ${reports.map((report) => Math.round(by(report) * 100)).join(', ')}`);
  const installable = audits['installable-manifest'];
  if (installable) console.log(`  installable: ${installable.score ? 'yes' : `no: ${installable.explanation}`}`);
  for (const { auditRefs } of Object.values(found)) {
    for (const { id, weight } of auditRefs) {
      const { score, title, displayValue } = audits[id];
      if (weight > 0 && score !== null && score < 0.9) console.log(`  ${Math.round(score * 100)} ${title} ${displayValue ?? ''}`);
    }
  }
}

function reportOf(program, url) {
  const out = mkdtempSync(join(tmpdir(), 'fleetglass-lighthouse-'));
  const report = join(out, 'report.json');
  const flags = '--headless=new --no-sandbox --disable-gpu';
  const categories = ['performance', 'accessibility', 'best-practices', 'seo', 'pwa'];
  spawnSync('node', [program, url, '--quiet', '--output=json', `--output-path=${report}`, `--chrome-flags=${flags}`,
    `--only-categories=${categories.join()}`], {
    stdio: 'inherit', env: { ...process.env, CHROME_PATH: process.env.FLEETGLASS_CHROMIUM ?? '/usr/bin/chromium' },
  });
  const found = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
  rmSync(out, { recursive: true });
  // Chromium has sometimes not begun when Lighthouse has: that is no figure.
  return found?.runtimeError ? undefined : found;
}
