// Phones: a start without a network, a new build with an old worker in place, pushed alerts, fingers.

import assert from 'node:assert/strict';
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import {
  NARROW, PHONE, assertAccessible, assertNoSidewaysScroll, eventually, fleetOf, live, openBrowser, openPage, startDemo, startNode,
  startServe,
} from './harness.mjs';
import { GONE, pusher, startFront, worker, workerOf } from './front.mjs';

let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

/** Moves a finger from one point to another. */
async function drag(page, from, to) {
  const session = await page.context().newCDPSession(page);
  const touch = (type, points) => session.send('Input.dispatchTouchEvent', { type, touchPoints: points });
  await touch('touchStart', [from]);
  for (let step = 1; step <= 8; step += 1) {
    const at = (name) => from[name] + ((to[name] - from[name]) * step) / 8;
    await touch('touchMove', [{ x: at('x'), y: at('y') }]);
  }
  await touch('touchEnd', []);
}

test('without a network the app starts with the last fleet, and says how old it is', async () => {
  const demo = await startDemo({ nodes: 20, faults: 'none' });
  const front = await startFront(demo.url);
  const page = await openPage(browser, front.url, { viewport: PHONE, touch: true, expected: GONE });
  await live(page);
  await worker(page);
  // The page keeps the fleet when it is left.
  await page.goto(`${front.url}/risks`);
  await page.goto(`${front.url}/`);
  await live(page);
  // A node may take a moment to say that it is well.
  await page.getByText(/20 nodes are well/).waitFor();
  front.leave();
  await page.reload();
  const banner = page.locator('.banner');
  await banner.getByText(/The fleet as of \d\d:\d\d, .* ago\./).waitFor();
  await page.getByText(/20 nodes are well/).waitFor();
  assert.match(await page.locator('.page-body').getAttribute('class'), /fleet-old/, 'old is shown as old');
  await assertAccessible(page, 'the start without a network');
  await page.goto(`${front.url}/glance`);
  await page.getByText(/^As of \d\d:\d\d/).waitFor();

  // Back again, it is live and nothing says that it was old.
  front.mode = 'new';
  await live(page);
  await banner.filter({ hasText: 'as of' }).waitFor({ state: 'detached' });
  await page.done();
  await front.stop();
  await demo.stop();
});

test('what was kept goes when the viewer is asked who they are', async () => {
  const demo = await startDemo({ nodes: 5, faults: 'none' });
  const front = await startFront(demo.url);
  const page = await openPage(browser, front.url, { viewport: PHONE, touch: true, expected: [...GONE, /401/, /api\/v1\/me/] });
  await live(page);
  await worker(page);
  const kept = () => page.evaluate(() => new Promise((resolve) => {
    const opening = indexedDB.open('fleetglass', 1);
    opening.onsuccess = () => {
      const asked = opening.result.transaction('last').objectStore('last').count();
      asked.onsuccess = () => { opening.result.close(); resolve(asked.result); };
    };
  }));
  await page.evaluate(() => dispatchEvent(new Event('pagehide')));
  await eventually('the fleet is kept', async () => await kept() === 1);
  await page.route('**/api/v1/live*', (route) => route.fulfill({ status: 401, contentType: 'application/problem+json', body: '{"title":"Login needed","status":401,"detail":"Send a token"}' }));
  await page.evaluate(() => dispatchEvent(new Event('fleetglass-refresh')));
  await page.getByRole('heading', { name: 'This Fleetglass asks who you are' }).waitFor();
  await eventually('nothing is kept', async () => await kept() === 0);
  await page.done();
  await front.stop();
  await demo.stop();
});

test('a new build takes over from an old worker, on a press or at the next start, and files never mix', async () => {
  const demo = await startDemo({ nodes: 5, faults: 'none' });
  const front = await startFront(demo.url);
  // The name of one of its files says which build a page is of.
  const build = (page) => page.evaluate(() => document.querySelector('meta[name=fleetglass-app]').dataset.keep.split('/').at(-1));
  for (const way of ['press', 'start']) {
    front.mode = 'old';
    const page = await openPage(browser, front.url, { viewport: PHONE, touch: true, expected: GONE });
    await live(page);
    await worker(page);
    // The old worker is in place, and the server is of another build: it has the old file no more.
    front.mode = 'new';
    await page.reload();
    assert.equal(await build(page), 'keep-00000000000000aa.js', 'the start is the old build, whole');
    await live(page);
    const note = page.locator('.update-note');
    await note.getByText('A new version is there').waitFor();
    if (way === 'press') {
      await assertAccessible(page, 'the word of a new version');
      await note.getByRole('button', { name: 'Reload' }).click();
      await eventually('the new build runs', async () => await build(page) === front.keep);
    } else {
      await page.goto(`${front.url}/glance`);
      assert.equal(await build(page), front.keep, 'the next start is the new build');
    }
    await live(page);
    assert.equal(await note.count(), 0);
    await page.done();
  }
  await front.stop();
  await demo.stop();
});

test('a share link is installed on its own', async () => {
  const demo = await startDemo({ nodes: 5, faults: 'none' });
  const front = await startFront(demo.url);
  const made = await fetch(`${demo.url}/api/v1/shares`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ title: 'For the board', by: 'Ada', scope: { select: ['{family=~".+"}'], views: ['fleet', 'node'] } }),
  });
  assert.equal(made.status, 201, await made.clone().text());
  const { path } = await made.json();
  const page = await openPage(browser, `${front.url}${path}`, { viewport: PHONE, touch: true, expected: GONE });
  await live(page);
  const manifest = await page.evaluate(async () => {
    const link = document.querySelector('link[rel=manifest]').href;
    return { at: new URL(link).pathname, ...await (await fetch(link)).json() };
  });
  assert.equal(manifest.at, `${path}manifest.webmanifest`);
  assert.deepEqual([manifest.name, manifest.id, manifest.start_url, manifest.scope], ['For the board', path, path, path]);
  assert.equal(manifest.shortcuts, undefined);
  await worker(page);
  assert.equal(await page.evaluate(async () => new URL((await navigator.serviceWorker.getRegistration()).scope).pathname), path);
  await page.evaluate(() => dispatchEvent(new Event('pagehide')));
  front.leave();
  await page.reload();
  await page.getByText(/The fleet as of \d\d:\d\d/).waitFor();
  await page.getByText(/For the board: read-only/).waitFor();
  await page.done();
  await front.stop();
  await demo.stop();
});

test('a swipe leads to the next node as the button does, and a pull asks anew', async () => {
  const demo = await startDemo({ nodes: 20, faults: 'none' });
  const page = await openPage(browser, demo.url, { viewport: PHONE, touch: true });
  await live(page);
  await page.waitForFunction(() => !Array.isArray(globalThis.fleetglassHeard));
  const asked = page.waitForRequest((request) => request.url().includes('/api/v1/live'));
  await drag(page, { x: 200, y: 200 }, { x: 200, y: 420 });
  await asked;
  await live(page);

  await page.goto(`${demo.url}/nodes/${(await (await fetch(`${demo.url}/api/v1/fleet`)).json()).nodes[3].id}`);
  const next = page.getByRole('link', { name: /^Next node/ });
  await next.waitFor();
  const title = page.locator('.node-title');
  const steps = await page.evaluate(() => history.length);
  const [here, there] = [await title.innerText(), (await next.getAttribute('aria-label')).replace('Next node: ', '')];
  const head = await page.locator('.node-head').boundingBox();
  const y = head.y + head.height / 2;
  await drag(page, { x: 320, y }, { x: 80, y });
  await title.getByText(there, { exact: true }).waitFor();
  await page.locator('.node-head').waitFor();
  await drag(page, { x: 80, y }, { x: 320, y });
  await title.getByText(here, { exact: true }).waitFor();
  await next.click();
  await title.getByText(there, { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => history.length), steps, 'Back leads to the list, however many nodes were looked at');
  for (const name of [/^Next node/, /^Previous node/]) {
    const { width, height } = await page.getByRole('link', { name }).boundingBox();
    assert.ok(width >= 44 && height >= 44, `${name}: ${width} × ${height}`);
  }
  await page.goBack();
  await live(page);
  assert.equal(new URL(page.url()).pathname, '/');
  await page.done();
  await demo.stop();
});

test('a finger reads a chart at its place and moves on, in the app and through a link, and leaves the page where it is', async () => {
  const demo = await startDemo({ nodes: 5, faults: 'none' });
  const made = await fetch(`${demo.url}/api/v1/shares`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ title: 'For Acme', by: 'Ada', scope: { select: ['{instance!=""}'], views: ['fleet', 'node', 'charts'] } }),
  });
  const { path } = await made.json();
  const { id } = (await (await fetch(`${demo.url}/api/v1/fleet`)).json()).nodes[0];
  for (const [what, base] of [['the app', '/'], ['a link', path]]) {
    const address = `${demo.url}${base}nodes/${encodeURIComponent(id)}?range=2m`;
    const page = await openPage(browser, address, { viewport: PHONE, touch: true, reducedMotion: 'reduce' });
    const chart = page.locator('.chart').first();
    await chart.scrollIntoViewIfNeeded();
    await chart.locator('.lines td').first().waitFor();
    const plot = chart.locator('.chart-plot');
    await plot.evaluate((element) => element.scrollIntoView({ block: 'center' }));
    const head = chart.locator('.lines thead th').nth(1);
    const value = chart.locator('.lines tbody td').first();
    const session = await page.context().newCDPSession(page);
    const send = (type, touchPoints) => session.send('Input.dispatchTouchEvent', { type, touchPoints });
    const box = await plot.boundingBox();
    const at = (share) => [{ x: box.x + box.width * share, y: box.y + box.height / 2 }];
    assert.equal(await head.innerText(), 'Last');
    await send('touchStart', at(0.95));
    await eventually(`${what}: it says when`, async () => /\d\d:\d\d:\d\d/.test(await head.innerText()));
    const late = await head.innerText();
    // So young a fleet has values at the right edge alone, and more of them each second.
    for (const share of [0.94, 0.92, 0.9]) await send('touchMove', at(share));
    await eventually(`${what}: it reads on`, async () => await head.innerText() !== late);
    await eventually(`${what}: it reads a value`, async () => {
      await send('touchMove', at(0.88 + Math.random() / 50));
      // A number, or "yes": the dash is for none.
      return !['', '–'].includes((await value.innerText()).trim());
    });
    await send('touchEnd', []);
    assert.match(await head.innerText(), /\d\d:\d\d:\d\d/, 'what was read stays when the finger is lifted');
    assert.equal(page.url(), address, 'it neither zooms nor goes to the next node');

    // Along the lanes it reads too: a swipe there is no swipe of the page.
    const lanes = page.locator('.lane-plot');
    await lanes.evaluate((element) => element.scrollIntoView({ block: 'center' }));
    const lane = await lanes.boundingBox();
    const reading = page.locator('.lane-reading');
    const quiet = await reading.innerText();
    const y = lane.y + lane.height / 2;
    await drag(page, { x: lane.x + lane.width * 0.95, y }, { x: lane.x + lane.width * 0.2, y });
    await eventually(`${what}: the lanes are read`, async () => await reading.innerText() !== quiet);
    assert.equal(page.url(), address);

    // Down it scrolls, and that reads nothing.
    await plot.evaluate((element) => element.scrollIntoView({ block: 'center' }));
    const place = await plot.boundingBox();
    const top = () => page.locator('.page-body').evaluate((element) => element.scrollTop);
    const before = await top();
    await drag(page, { x: place.x + 60, y: place.y + place.height / 2 }, { x: place.x + 64, y: place.y + place.height / 2 - 160 });
    await eventually(`${what}: it scrolls`, async () => await top() > before + 50);
    await eventually(`${what}: nothing is read`, async () => await head.innerText() === 'Last');
    await page.done();
  }
  await demo.stop();
});

test('the glance fits every phone in both themes', async () => {
  const demo = await startDemo({ nodes: 40, faults: 'all' });
  for (const [viewport, theme, size] of [
    [PHONE, 'light', ''], [PHONE, 'dark', ''], [NARROW, 'light', ''], [{ width: 740, height: 360 }, 'light', ''],
    [PHONE, 'light', '200%'], [NARROW, 'dark', '200%'],
  ]) {
    const what = `the glance at ${viewport.width} px, ${theme}, text ${size || 'as it is'}`;
    const page = await openPage(browser, `${demo.url}/glance`, { viewport, theme, touch: true });
    await page.locator('.glance-title').waitFor();
    await page.evaluate((size) => { document.documentElement.style.fontSize = size; }, size);
    await assertNoSidewaysScroll(page, what);
    await assertAccessible(page, what);
    const cut = await page.locator('.glance-count').evaluateAll((counts) => counts.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent));
    assert.deepEqual(cut, [], `${what}: its words fit`);
    const cards = await page.locator('.glance-worst li').evaluateAll((all) => all.map((one) => [one.querySelector('.glance-why').textContent.length > 5, one.className]));
    assert.ok(cards.every(([says, look]) => says && look !== 'state-healthy'), `${what}: each says why, and none looks well: ${cards}`);
    await page.done();
  }
  await demo.stop();
  const empty = await startServe('', { ready: false });
  const page = await openPage(browser, `${empty.url}/glance`, { viewport: PHONE, touch: true });
  await page.locator('.glance-state.state-unknown').getByText('No node yet').waitFor();
  await page.done();
  await empty.stop();
});

test('a phone is told of the nodes it shows, packed, and a hidden page of nothing', async () => {
  const demo = await startDemo({ nodes: 60, faults: 'none' });
  const page = await openPage(browser, demo.url, { viewport: PHONE, touch: true });
  await live(page);
  const shown = await page.waitForRequest((request) => /detail=low&nodes=./.test(request.url()));
  assert.equal((await (await shown.response()).allHeaders())['content-encoding'], 'gzip');
  assert.ok(new URL(shown.url()).searchParams.get('nodes').split(',').length < 40, 'not the whole fleet');
  const streams = async () => Number((await (await fetch(`${demo.url}/metrics`)).text()).match(/fleetglass_live_clients (\d+)/)[1]);
  await eventually('one stream', async () => await streams() === 1);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  });
  await eventually('no stream while it is hidden', async () => await streams() === 0);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: false, configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  });
  await eventually('a stream again', async () => await streams() === 1);
  await page.done();
  await demo.stop();
});

/** A push service for one browser: what it is sent, decrypted by RFC 8291 and RFC 8188. */
async function startPushService() {
  const key = createECDH('prime256v1');
  key.generateKeys();
  const auth = randomBytes(16);
  const service = { taken: [], status: 201, headers: [] };
  const decrypt = (body) => {
    const salt = body.subarray(0, 16);
    const sender = body.subarray(21, 21 + body[20]);
    const shared = key.computeSecret(sender);
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), key.getPublicKey(), sender]);
    const ikm = Buffer.from(hkdfSync('sha256', shared, auth, info, 32));
    const derived = (label, length) => Buffer.from(hkdfSync('sha256', ikm, salt, Buffer.from(`${label}\0`), length));
    const record = body.subarray(21 + body[20]);
    const opened = createDecipheriv('aes-128-gcm', derived('Content-Encoding: aes128gcm', 16), derived('Content-Encoding: nonce', 12));
    opened.setAuthTag(record.subarray(-16));
    const plain = Buffer.concat([opened.update(record.subarray(0, -16)), opened.final()]);
    return plain.subarray(0, plain.lastIndexOf(2)).toString('utf8');
  };
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part)).on('end', () => {
      if (service.status === 201) {
        service.headers.push(request.headers);
        service.taken.push(JSON.parse(decrypt(Buffer.concat(parts))));
      }
      response.writeHead(service.status).end();
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  server.unref().on('connection', (socket) => socket.unref());
  const subscription = {
    endpoint: `http://127.0.0.1:${server.address().port}/push/abc`,
    keys: { p256dh: key.getPublicKey('base64url'), auth: auth.toString('base64url') },
  };
  return { ...service, service, subscription, stop: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }) };
}

test('an alert is pushed to a browser, which shows it and acknowledges it without a login', async () => {
  const lag = (seconds) => ({
    type: 'application/openmetrics-text; version=1.0.0',
    body: `# TYPE decdn_blacklist_sync_lag_seconds gauge\ndecdn_blacklist_sync_lag_seconds ${seconds}\n# EOF\n`,
  });
  const health = '{"status":"ready","peer_count":9,"channels_open":1,"watchtowers_registered":3,"version":"1.0.0"}';
  const node = await startNode({ '/health': health, '/metrics': lag(10) });
  const { service, subscription, stop } = await startPushService();
  const served = await startServe(
    `[push]\nallow_private = true\n[scrape]\ninterval = "1s"\ntimeout = "900ms"\n[[target]]\nid = "eu-1"\nfamily = "decdn"\nurl = "${node.url}"\nlabels = { region = "eu" }\n`,
  );
  // Chromium without a head has no push service: this one stands in for it.
  const context = { viewport: PHONE, touch: true };
  const page = await openPage(browser, `${served.url}/notifications`, context);
  await page.context().grantPermissions(['notifications'], { origin: served.url });
  await page.addInitScript((made) => {
    let held = null;
    const own = { toJSON: () => made, unsubscribe: async () => { held = null; return true; } };
    PushManager.prototype.getSubscription = async () => held;
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
      globalThis.subscribedWith = applicationServerKey;
      held = own;
      return own;
    };
    Notification.requestPermission = async () => 'granted';
    // It says `denied` without a head, whatever was granted.
    Object.defineProperty(Notification, 'permission', { get: () => 'granted' });
  }, subscription);
  await page.reload();
  await live(page);
  await page.getByLabel('Name of this browser').fill('Test phone');
  await page.getByLabel('Nodes').fill('{region="eu"}');
  await page.getByRole('button', { name: 'Tell this browser' }).click();
  await page.getByText('This browser is told of alerts.').waitFor();
  await assertAccessible(page, 'the notifications page');
  const { key } = await (await fetch(`${served.url}/api/v1/push/key`)).json();
  assert.equal(await page.evaluate(() => globalThis.subscribedWith), key);
  const told = await (await fetch(`${served.url}/api/v1/push/subscriptions`)).text();
  assert.ok(!told.includes('/push/abc'), 'the endpoint is told to nobody');

  await page.getByRole('button', { name: 'Send a test', exact: true }).click();
  await eventually('the test came', () => service.taken.length === 1);
  assert.match(service.taken[0].title, /test/i);
  assert.match(service.headers[0].authorization, /^vapid t=[\w-]+\.[\w-]+\.[\w-]+, k=[\w-]+$/);
  assert.equal(service.headers[0]['content-encoding'], 'aes128gcm');

  node.pages['/metrics'] = lag(301);
  const pushed = await eventually('the alert came', () => service.taken.find((one) => /BlacklistLag/.test(one.title)));
  assert.match(pushed.title, /eu-1/);
  assert.ok(pushed.acknowledge && pushed.url === `alerts/${pushed.alert}`, JSON.stringify(pushed));
  assert.ok(pushed.firing >= 1);

  // What the push service would hand to the browser.
  const running = await workerOf(page);
  const push = await pusher(page, running);
  await push(served.url, pushed);
  const shown = await running.evaluate(async () => {
    const [one] = await self.registration.getNotifications();
    return { title: one.title, body: one.body, actions: one.actions.map(({ action }) => action), data: one.data };
  });
  assert.equal(shown.title, pushed.title);
  assert.deepEqual(shown.actions, ['acknowledge']);
  // The press itself cannot be made from here: this is what it runs. Without a network nothing is lost by it.
  const press = () => running.evaluate(async () => {
    const [one] = await self.registration.getNotifications();
    await take(one);
    const [now] = await self.registration.getNotifications();
    return { title: now.title, body: now.body, actions: now.actions.map(({ action }) => action), data: now.data };
  });
  await running.evaluate(() => {
    self.badges = [];
    Object.defineProperty(navigator, 'setAppBadge', { value: async (count) => { self.badges.push(count); } });
    Object.defineProperty(navigator, 'clearAppBadge', { value: async () => { self.badges.push(0); } });
    self.online = self.fetch;
    self.fetch = async () => { throw new TypeError('no network'); };
  });
  for (const trouble of ['no network', 'a proxy in front of one that is down']) {
    const tried = await press();
    assert.match(tried.body, /^Not acknowledged: Fleetglass cannot be reached\.\n/, trouble);
    assert.equal(tried.body.match(/Not acknowledged/g).length, 1, 'it is said once');
    assert.deepEqual([tried.title, tried.actions, tried.data.url, tried.data.acknowledge],
      [shown.title, ['acknowledge'], pushed.url, pushed.acknowledge], trouble);
    await running.evaluate(() => { self.fetch = async () => new Response('', { status: 502 }); });
  }
  await running.evaluate(() => { self.fetch = self.online; });
  const before = (await fleetOf(served.url)).alerts.filter((alert) => alert.state === 'firing' && !alert.acknowledged).length;
  assert.equal((await press()).body, 'Acknowledged.');
  assert.equal(await running.evaluate(() => self.badges.at(-1)), before - 1, 'the icon says so at once');
  const alert = await eventually('it is acknowledged', async () => {
    const { alert } = await (await fetch(`${served.url}/api/v1/alerts/${pushed.alert}`)).json();
    return alert?.acknowledged && alert;
  });
  assert.equal(alert.acknowledged.by, pushed.by);

  // A browser that is not subscribed any more is forgotten.
  service.status = 410;
  await page.getByRole('button', { name: 'Send a test', exact: true }).click();
  await eventually('it is forgotten', async () => {
    const { subscriptions } = await (await fetch(`${served.url}/api/v1/push/subscriptions`)).json();
    return subscriptions.length === 0;
  });
  await page.done();
  await served.stop();
  await node.stop();
  await stop();
});
