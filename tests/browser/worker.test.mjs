// The service worker where things go wrong: what it keeps, what it lets through, and how a new one takes over.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GONE, startFront, worker, workerOf } from './front.mjs';
import { PHONE, eventually, live, openBrowser, openPage, startDemo } from './harness.mjs';

let browser;
let demo;
before(async () => {
  browser = await openBrowser();
  demo = await startDemo({ nodes: 5, faults: 'none' });
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** Names of what is kept, with the media type of each. */
const kept = (page) => page.evaluate(async () => {
  const found = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const { url } of await cache.keys()) found.push([url, (await cache.match(url)).headers.get('content-type')]);
  }
  return found;
});

const isFit = ([url, kind]) => (/\.(\w+)$/.test(new URL(url).pathname)
  ? { js: /javascript/, css: /css/, wasm: /wasm/, svg: /svg/, png: /png/ }[url.split('.').at(-1)].test(kind)
  : /html/.test(kind));

/** The name of one of its files says which build a page is of. */
const buildOf = (page) => page.evaluate(() => document.querySelector('meta[name=fleetglass-app]').dataset.keep.split('/').at(-1));

const shared = async () => {
  const scope = { select: ['{family=~".+"}'], views: ['fleet', 'node'] };
  const made = await fetch(`${demo.url}/api/v1/shares`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ title: 'For the board', by: 'Ada', scope }),
  });
  return (await made.json()).path;
};

test('a login or an error in place of a file is never kept, nor what came with it', async () => {
  for (const mode of ['login', 'failing']) {
    const front = await startFront(demo.url);
    // Somebody in front of us asks for a login while the worker fetches what it needs.
    let hit = 0;
    front.asks = (request, now) => {
      if (now !== 'new' || !/_rest\.wasm/.test(request.url)) return now;
      hit += 1;
      return mode;
    };
    const page = await openPage(browser, front.url, { viewport: PHONE, touch: true, expected: [...GONE, /302|sign-in|MIME|wasm/i] });
    await live(page);
    await eventually('the worker asked for it', () => hit > 0);
    await eventually('it gave up', () => page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      return !registration || (!registration.installing && !registration.active);
    }));
    assert.deepEqual((await kept(page)).filter((one) => !isFit(one)), [], mode);

    // Signed in again, the next start installs it, whole.
    front.asks = (_, now) => now;
    await page.reload();
    await live(page);
    await worker(page);
    const all = await kept(page);
    assert.ok(all.length > 3 && all.every(isFit), JSON.stringify(all));
    front.leave();
    await page.goto(`${front.url}/risks`);
    await page.getByRole('heading', { level: 1, name: 'Risks' }).waitFor();
    await page.done();
    await front.stop();
  }
});

test('whoever is asked to sign in by a server in front of us sees that, and comes back', async () => {
  const front = await startFront(demo.url);
  const page = await openPage(browser, front.url, { viewport: PHONE, touch: true, expected: [...GONE, /sign-in/] });
  await live(page);
  await worker(page);
  front.turn('login');
  // While somebody reads, nothing is taken away from them.
  await page.getByText(/asks you to sign in/).waitFor();
  assert.equal(page.url(), `${front.url}/`);
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in to Acme' }).waitFor();
  // A start when the login is over leads there by itself.
  front.mode = 'new';
  await page.goto(front.url);
  await live(page);
  front.turn('login');
  await page.goto(`${front.url}/risks`);
  await page.getByRole('heading', { name: 'Sign in to Acme' }).waitFor();
  assert.deepEqual((await kept(page)).filter(([url]) => url.includes('sign-in')), []);
  front.mode = 'new';
  await page.goto(`${front.url}/`);
  await live(page);
  assert.ok((await kept(page)).every(isFit));
  front.leave();
  await page.reload();
  await page.getByText(/The fleet as of/).waitFor();
  await page.done();
  await front.stop();
});

test('a start is never an error page of a server in front of us, nor waits for one that is silent', async () => {
  const front = await startFront(demo.url);
  const path = await shared();
  for (const [what, at] of [['the app', '/'], ['a link', path]]) {
    for (const mode of ['failing', 'silent']) {
      front.mode = 'new';
      const page = await openPage(browser, `${front.url}${at}`, { viewport: PHONE, touch: true, expected: GONE });
      await live(page);
      await worker(page);
      await page.evaluate(() => dispatchEvent(new Event('pagehide')));
      front.turn(mode);
      await page.reload();
      await page.getByText(/The fleet as of|is loading/).first().waitFor();
      assert.equal(await page.getByText('502 Bad Gateway').count(), 0, `${what}, ${mode}`);
      await page.locator('.frame').waitFor();
      await page.done();
    }
  }
  await front.stop();
});

test('a new build that waits is no reason to show an error', async () => {
  for (const mode of ['failing', 'silent', 'away']) {
    const front = await startFront(demo.url);
    front.mode = 'old';
    const page = await openPage(browser, front.url, { viewport: PHONE, touch: true, expected: GONE });
    await live(page);
    await worker(page);
    front.mode = 'new';
    await page.reload();
    await page.locator('.update-note').waitFor();
    front.turn(mode);
    await page.goto(`${front.url}/glance`);
    await page.locator('.glance').waitFor();
    await page.done();
    await front.stop();
  }
});

test('a new build is taken up in each of two tabs by its own press, also after the other one', async () => {
  const front = await startFront(demo.url);
  front.mode = 'old';
  const page = await openPage(browser, front.url, { viewport: PHONE, touch: true, expected: GONE });
  await live(page);
  await worker(page);
  const other = await page.context().newPage();
  await other.goto(`${front.url}/alerts`);
  await live(other);
  front.mode = 'new';
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
  const press = (tab) => tab.locator('.update-note').getByRole('button', { name: 'Reload' });
  await press(page).waitFor();
  await press(other).waitFor();
  await press(page).click();
  await eventually('the new build runs in the first', async () => await buildOf(page) === front.keep);
  await live(page);
  // The second goes on as it is: its build's files are still there.
  assert.equal(await buildOf(other), 'keep-00000000000000aa.js');
  await press(other).click();
  await eventually('the new build runs in the second', async () => await buildOf(other) === front.keep);
  await page.done();
  await front.stop();
});
