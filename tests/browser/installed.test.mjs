// The app as the phone has it: the number on its icon, the offer to install it, and a subscription that changes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PHONE, assertAccessible, smallTargets, eventually, live, openBrowser, openPage, startDemo, startNode, startServe } from './harness.mjs';
import { pusher, workerOf } from './front.mjs';

let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

const HEALTH = '{"status":"ready","peer_count":9,"channels_open":1,"watchtowers_registered":3,"version":"1.0.0"}';
const lag = (seconds) => ({
  type: 'application/openmetrics-text; version=1.0.0',
  body: `# TYPE decdn_blacklist_sync_lag_seconds gauge\ndecdn_blacklist_sync_lag_seconds ${seconds}\n# EOF\n`,
});

/** Two nodes that can be late, and a Fleetglass that asks them. */
async function twoNodes() {
  const nodes = await Promise.all([1, 2].map(() => startNode({ '/health': HEALTH, '/metrics': lag(10) })));
  const targets = nodes.map(({ url }, at) => `[[target]]\nid = "eu-${at + 1}"\nfamily = "decdn"\nurl = "${url}"\n`).join('');
  const served = await startServe(`[push]\nallow_private = true\n[scrape]\ninterval = "1s"\ntimeout = "900ms"\n${targets}`);
  return { served, nodes, stop: async () => { await served.stop(); await Promise.all(nodes.map((node) => node.stop())); } };
}

/** The alerts that fire and that nobody has taken. */
async function open(url) {
  const { alerts } = await (await fetch(`${url}/api/v1/fleet`)).json();
  return (alerts ?? []).filter((alert) => alert.state === 'firing' && !alert.acknowledged);
}

/** Notes what the page does with the number on the icon: without a head there is no icon. */
function watchBadge(page) {
  return page.addInitScript(() => {
    globalThis.badges = [];
    navigator.setAppBadge = async (count) => { globalThis.badges.push(count); };
    navigator.clearAppBadge = async () => { globalThis.badges.push(0); };
  });
}

const badge = (page) => page.evaluate(() => globalThis.badges.at(-1));

/** Waits until what runs beside the app is there. */
const besides = (page) => page.waitForFunction(() => globalThis.fleetglassInstall && !Array.isArray(globalThis.fleetglassHeard));

/** The page's worker, running. */
test('the icon counts the alerts that fire, and a push does so while the app is closed', async () => {
  const two = await twoNodes();
  const { url } = two.served;
  const page = await openPage(browser, 'about:blank', { viewport: PHONE, touch: true });
  await page.context().grantPermissions(['notifications'], { origin: url });
  await watchBadge(page);
  await page.goto(url);
  await live(page);
  await besides(page);
  await eventually('all is well, and the icon says nothing', async () => await badge(page) === 0);

  // Two fire, one is taken, the other one ends.
  for (const node of two.nodes) node.pages['/metrics'] = lag(301);
  const firing = await eventually('both fire', async () => {
    const all = await open(url);
    return all.length >= 2 && new Set(all.map((alert) => alert.node)).size === 2 && all;
  });
  await eventually('the icon has their number', async () => await badge(page) === (await open(url)).length);
  for (const alert of firing.filter((alert) => alert.node === 'eu-1')) {
    const answer = await fetch(`${url}/api/v1/alerts/${alert.id}/acknowledge`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ by: 'Ada' }),
    });
    assert.ok(answer.ok, await answer.text());
  }
  await eventually('only the other one counts', async () => {
    const left = await open(url);
    return left.length > 0 && left.every((alert) => alert.node === 'eu-2') && await badge(page) === left.length;
  });
  two.nodes[1].pages['/metrics'] = lag(10);
  await eventually('it is over, and so is the number', async () => (await open(url)).length === 0 && await badge(page) === 0);

  // What a push says, and what the app says when it is opened again.
  const worker = await workerOf(page);
  await worker.evaluate(() => {
    self.badges = [];
    Object.defineProperty(navigator, 'setAppBadge', { value: async (count) => { self.badges.push(count); } });
    Object.defineProperty(navigator, 'clearAppBadge', { value: async () => { self.badges.push(0); } });
  });
  const push = await pusher(page, worker);
  for (const [firing, shown] of [[3, 3], [0, 0], [undefined, 0], [4, 4]]) {
    await push(url, { title: `push ${firing}`, firing });
    assert.equal(await worker.evaluate(() => self.badges.at(-1)), shown);
  }
  const before = await page.evaluate(() => globalThis.badges.length);
  for (const hidden of [true, false]) {
    await page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, hidden);
  }
  await eventually('the app says it anew', () => page.evaluate((before) => globalThis.badges.length > before, before));
  assert.equal(await badge(page), (await open(url)).length);
  await page.done();
  await two.stop();
});

test('a share link never touches the number on an icon', async () => {
  const two = await twoNodes();
  const { url } = two.served;
  for (const node of two.nodes) node.pages['/metrics'] = lag(301);
  const scope = { select: ['{instance!=""}'], views: ['fleet', 'node', 'alerts'] };
  const made = await fetch(`${url}/api/v1/shares`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ title: 'For Acme', by: 'Ada', scope }),
  });
  const { path } = await made.json();
  await eventually('its viewer has alerts', async () => (await (await fetch(`${url}${path}api/v1/fleet`)).json()).alerts?.some((alert) => alert.state === 'firing'));
  const page = await openPage(browser, 'about:blank', { viewport: PHONE, touch: true });
  await watchBadge(page);
  await page.goto(`${url}${path}`);
  await live(page);
  await besides(page);
  await page.evaluate(() => dispatchEvent(new Event('fleetglass-refresh')));
  await live(page);
  await page.getByRole('region', { name: 'Open alerts' }).waitFor();
  assert.deepEqual(await page.evaluate(() => globalThis.badges), []);
  await page.done();
  await two.stop();
});

test('the app offers to be installed where the browser does, quietly, and not again when that is declined', async () => {
  const demo = await startDemo({ nodes: 5, faults: 'none' });
  const scope = { select: ['{instance!=""}'], views: ['fleet', 'node'] };
  const made = await fetch(`${demo.url}/api/v1/shares`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ title: 'For Acme', by: 'Ada', scope }),
  });
  const { path } = await made.json();
  const page = await openPage(browser, 'about:blank', { viewport: PHONE, touch: true });
  // What Chromium does once it finds that an app may be installed; without a head it finds nothing.
  await page.addInitScript(() => {
    globalThis.asked = 0;
    globalThis.offer = new Event('beforeinstallprompt', { cancelable: true });
    globalThis.offer.prompt = async () => { globalThis.asked += 1; };
    document.addEventListener('DOMContentLoaded', () => dispatchEvent(globalThis.offer));
  });
  const entry = (name) => page.locator('.install', { hasText: `Install ${name}` });
  await page.goto(`${demo.url}/`);
  await live(page);
  await besides(page);
  assert.equal(await page.evaluate(() => globalThis.offer.defaultPrevented), true, 'the browser does not ask by itself');
  assert.equal(await entry('').count(), 0, 'the fleet page is about the fleet');
  await page.goto(`${demo.url}/more`);
  await entry('Fleetglass').waitFor();
  await assertAccessible(page, 'the offer');
  assert.deepEqual(await smallTargets(page), [], 'the offer: too small for a finger');
  await entry('Fleetglass').getByRole('button', { name: 'Install', exact: true }).click();
  await eventually('the browser asks', () => page.evaluate(() => globalThis.asked === 1));
  await entry('Fleetglass').waitFor({ state: 'hidden' });

  await page.reload();
  await entry('Fleetglass').getByRole('button', { name: 'Do not offer to install again' }).click();
  await entry('Fleetglass').waitFor({ state: 'hidden' });
  await page.reload();
  await besides(page);
  await page.getByRole('link', { name: 'At a glance' }).waitFor();
  assert.equal(await entry('Fleetglass').isVisible(), false, 'no means no');

  // A share link is installed on its own, so it offers on its own.
  await page.goto(`${demo.url}${path}`);
  await entry('For Acme').waitFor();
  await assertAccessible(page, 'the offer of a link');
  assert.deepEqual(await smallTargets(page), [], 'the offer of a link: too small for a finger');
  await entry('For Acme').getByRole('button', { name: 'Do not offer to install again' }).click();
  await entry('For Acme').waitFor({ state: 'hidden' });
  await page.done();

  // Safari on an iPhone asks nobody: it is said how.
  const phone = await openPage(browser, 'about:blank', { viewport: PHONE, touch: true });
  await phone.addInitScript(() => { Object.defineProperty(navigator, 'standalone', { get: () => globalThis.installed ?? false }); });
  await phone.goto(`${demo.url}/more`);
  const words = phone.locator('.install');
  await words.getByText('Press Share in Safari, then “Add to Home Screen”').waitFor();
  assert.equal(await words.getByRole('button', { name: 'Install', exact: true }).isVisible(), false);
  await assertAccessible(phone, 'how to install');
  // From the home screen there is nothing left to install.
  await phone.addInitScript(() => { globalThis.installed = true; });
  await phone.reload();
  await besides(phone);
  await phone.getByRole('link', { name: 'At a glance' }).waitFor();
  assert.equal(await words.isVisible(), false);
  await phone.done();
  await demo.stop();
});

test('a subscription that the push service changes is renewed by the worker, and one that is lost is told of', async () => {
  const two = await twoNodes();
  const { url } = two.served;
  // The keys are those of RFC 8291's example. Chromium without a head has no push service: this one stands in for it.
  const subscription = (endpoint, p256dh, auth) => ({ endpoint: `http://127.0.0.1:9/${endpoint}`, keys: { p256dh, auth } });
  const KEYS = ['BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    'BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8'];
  const first = subscription('one', KEYS[0], 'BTBZMqHH6r4Tts7J_aSIgg');
  const second = subscription('two', KEYS[1], 'AAAAAAAAAAAAAAAAAAAAAA');
  const page = await openPage(browser, 'about:blank', { viewport: PHONE, touch: true, expected: [/404.*n\/push/] });
  await page.context().grantPermissions(['notifications'], { origin: url });
  await page.addInitScript((made) => {
    const own = { toJSON: () => made, unsubscribe: async () => true };
    let held = null;
    PushManager.prototype.getSubscription = async () => held;
    PushManager.prototype.subscribe = async () => { held = own; return own; };
    Notification.requestPermission = async () => 'granted';
    Object.defineProperty(Notification, 'permission', { get: () => 'granted' });
  }, first);
  await page.goto(`${url}/notifications`);
  await live(page);
  await page.getByLabel('Name of this browser').fill('Test phone');
  await page.getByRole('button', { name: 'Tell this browser' }).click();
  await page.getByText('This browser is told of alerts.').waitFor();
  const told = async () => (await (await fetch(`${url}/api/v1/push/subscriptions`)).json()).subscriptions;
  const [before] = await told();
  assert.equal(before.key, KEYS[0]);

  // The push service has taken the subscription away: the worker subscribes anew, with the same key.
  const worker = await workerOf(page);
  await worker.evaluate((made) => {
    self.held = null;
    PushManager.prototype.getSubscription = async () => self.held;
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
      self.subscribedWith = applicationServerKey;
      self.held = { toJSON: () => made };
      return self.held;
    };
  }, second);
  // The event itself cannot be made from here: this is what it runs. The app has it run at each start, too.
  await page.evaluate(async () => (await navigator.serviceWorker.ready).active.postMessage('renew'));
  await eventually('the server knows', async () => (await told())[0]?.key === KEYS[1]);
  assert.deepEqual(await told(), [{ ...before, key: KEYS[1] }], 'all else is as it was');
  assert.equal(await worker.evaluate(() => self.subscribedWith), (await (await fetch(`${url}/api/v1/push/key`)).json()).key);

  // The server lost it, and nothing changed here: whoever relies on it is told so at the next start.
  await fetch(`${url}/api/v1/push/subscriptions/${before.id}`, { method: 'DELETE' });
  await worker.evaluate(() => renew());
  await eventually('it is said', () => worker.evaluate(async () => (
    (await self.registration.getNotifications()).some((one) => /told of alerts no more/.test(one.title) && one.data.url === 'notifications')
  )));
  assert.deepEqual(await told(), []);
  await page.done();
  await two.stop();
});
