// Panels in a page of somebody else's: on another origin, with cookies blocked, in a sandbox, twelve on one stream.

import assert from 'node:assert/strict';
import { createServer, get } from 'node:http';
import { after, before, test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { PATIENCE, assertAccessible, assertNoSidewaysScroll, eventually, openBrowser, openPage, startServe } from './harness.mjs';
import { framesOf as frames, health, shareFor, startFleet, startPortal } from './portal.mjs';

/** What a panel may load, in bytes with brotli. */
const MOST_BYTES = 120_000;
const VIEWS = ['view=fleet', 'view=node&node=eu-1', 'view=chart&query=up&range=5m', 'view=uptime'];

let browser;
let fleet;
let fleetglass;
let node;
/** Two pages of others: one that the link lists, and one that it does not. */
let portal;
let stranger;

before(async () => {
  [browser, portal, stranger, fleet] = await Promise.all([
    openBrowser(), startPortal(), startPortal(), startFleet({ '/metrics': { type: 'text/plain', body: '# TYPE peers gauge\npeers 4\n' } }),
  ]);
  ({ fleetglass, node } = fleet);
});

after(async () => {
  await browser?.close();
  await fleet?.stop();
  portal?.stop();
  stranger?.stop();
});

const shared = (more) => shareFor(portal, fleetglass, more);
const frame = (token, query, more = '') => `<iframe title="Panel" width="640" height="360" src="${fleetglass.url}/embed/${token}?${query}" ${more}></iframe>`;
const isLive = (one) => one.getByText(/^Live$/).waitFor();

/** A page of a portal in a browser that lets no third party keep anything. */
async function visit(page, expected = []) {
  const opened = await openPage(browser, page.origin, { viewport: { width: 1440, height: 900 }, expected });
  return opened;
}

async function withoutCookies() {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCookieControls', { enableThirdPartyCookieRestriction: true, disableThirdPartyCookieMetadata: true, disableThirdPartyCookieHeuristics: true });
  return { context, page };
}

test('a page on another origin embeds four views and a badge, with the cookies of others blocked', async () => {
  const { token, share, viewers } = await shared();
  portal.html = VIEWS.map((view) => frame(token, view)).join('') + `<img alt="" src="${fleetglass.url}/s/${token}/badge/status.svg">`;
  const { context, page } = await withoutCookies();
  const faults = [];
  const weight = new Map();
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error') faults.push(message.text()); });
  page.on('response', async (response) => {
    assert.equal(response.headers()['set-cookie'], undefined, response.url());
    const { pathname, searchParams } = new URL(response.url());
    if (!response.url().startsWith(fleetglass.url) || pathname.endsWith('/live')) return;
    const body = await response.body().catch(() => null);
    const name = `${pathname} ${searchParams.get('view') ?? ''}`.trim();
    if (body?.length) weight.set(name, brotliCompressSync(body).length);
  });
  await page.goto(portal.origin);
  assert.equal(frames(page).length, VIEWS.length);
  await frames(page)[0].getByText('All 2 well').waitFor();
  await frames(page)[1].getByText('eu-1').first().waitFor();
  await frames(page)[2].locator('.plot').waitFor();
  await frames(page)[3].getByRole('row', { name: /All/ }).waitFor();
  await eventually('the badge is a picture', () => page.locator('img').evaluate((img) => img.complete && img.naturalHeight === 20));
  for (const one of frames(page)) await isLive(one);
  await eventually('all of them have one stream', async () => (await viewers()) === 1);

  // What happens is seen within the frames.
  node.pages['/health'] = health('degraded', '2.0.0');
  await frames(page)[1].getByText('2.0.0').waitFor();
  await frames(page)[0].getByText('2 of 2 not well').waitFor();
  node.pages['/health'] = health('ok');
  await frames(page)[0].getByText('All 2 well').waitFor();

  const bytes = [...weight.values()].reduce((sum, size) => sum + size, 0);
  const names = [...weight].map(([name, size]) => `${name.replace(token, 'TOKEN')} ${size}`);
  console.log(`  four panels and a badge load ${bytes} bytes with brotli: ${names.join(', ')}`);
  assert.ok(bytes > 0 && bytes <= MOST_BYTES, `${bytes} bytes`);
  assert.deepEqual(await context.cookies(), []);
  assert.deepEqual(faults, []);

  // Taken back while it is looked at, it says so, and keeps nothing on the screen.
  await fetch(`${fleetglass.url}/api/v1/shares/${share.id}`, { method: 'DELETE' });
  await frames(page)[0].getByRole('heading', { name: 'No longer shared' }).waitFor();
  assert.ok(!(await frames(page)[0].locator('body').innerText()).includes('eu-1'));
  await context.close();
});

test('an origin that is not listed gets nothing', async () => {
  const { token, viewers } = await shared();
  stranger.html = frame(token, 'view=fleet');
  const page = await visit(stranger, [/frame-ancestors|refused|ERR_BLOCKED/i]);
  await eventually('the browser has refused the frame', async () => page.frames().some((one) => one.url().startsWith('chrome-error:')));
  assert.equal(frames(page).length, 0);
  assert.equal(await viewers(), 0);
  await page.done();
});

test('in a sandbox a panel works as well, with a stream of its own', async () => {
  const { token, viewers } = await shared();
  portal.html = frame(token, 'view=fleet', 'sandbox="allow-scripts"');
  const page = await visit(portal);
  const [panel] = frames(page);
  assert.equal(await panel.evaluate(() => self.origin), 'null');
  await panel.getByText('All 2 well').waitFor();
  await isLive(panel);
  node.pages['/health'] = health('degraded');
  await panel.getByText('2 of 2 not well').waitFor();
  node.pages['/health'] = health('ok');
  assert.equal(await viewers(), 1);
  await page.done();
});

test('twelve panels have one stream, and none while they are out of view', async () => {
  const { token, share, viewers } = await shared();
  portal.html = `<body style="margin:0">${Array.from({ length: 12 }, (_, at) => frame(token, VIEWS[at % 4])).join('')}<div style="height:5000px"></div><p id="end">End</p>`;
  const page = await visit(portal);
  const all = await eventually('twelve frames are there', () => frames(page).length === 12 && frames(page));
  for (const one of all.slice(0, 4)) await isLive(one);
  assert.equal(await viewers(), 1);
  await page.locator('#end').scrollIntoViewIfNeeded();
  await eventually('nobody looks, and the stream is closed', async () => (await viewers()) === 0);
  await page.evaluate(() => scrollTo(0, 0));
  await eventually('the first panels look again', async () => (await viewers()) === 1);
  await isLive(all[0]);
  const { views } = await (await fetch(`${fleetglass.url}/api/v1/shares/${share.id}`)).json();
  assert.equal(views, 1, 'who comes back is no other one');
  await page.done();
});

test('without a shared worker one panel holds the stream for all', async () => {
  const { token, viewers } = await shared();
  portal.html = VIEWS.map((view) => frame(token, view)).join('');
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(() => { delete self.SharedWorker; });
  await page.goto(portal.origin);
  for (const one of frames(page)) await isLive(one);
  assert.equal(await viewers(), 1);
  await context.close();
});

test('the element fits its panel, wears the theme of the page, and says when nothing comes', async () => {
  const { token } = await shared();
  // As strict as a page can be that wants it.
  portal.policy = `default-src 'none'; script-src ${fleetglass.url}; frame-src ${fleetglass.url}`;
  portal.html = `<script src="${fleetglass.url}/embed.js" crossorigin></script>
    <fleetglass-panel id="one" src="${fleetglass.url}/embed/${token}?view=fleet" title="Our nodes"></fleetglass-panel>
    <fleetglass-panel id="two" src="${fleetglass.url}/embed/${token}?view=uptime" height="123" theme="dark"></fleetglass-panel>
    <fleetglass-panel id="page" src="${fleetglass.url}/s/${token}/nodes/eu-2" height="140px"></fleetglass-panel>
    <fleetglass-panel id="none"><b slot="error">Nothing here</b></fleetglass-panel>`;
  const page = await visit(portal);
  const one = page.locator('#one iframe');
  assert.equal(await one.getAttribute('title'), 'Our nodes');
  const first = await eventually('the panel is there', () => frames(page).find((panel) => panel.url().includes('view=fleet')));
  await first.getByText('All 2 well').waitFor();
  await eventually('the frame is as high as the panel', async () => {
    const wanted = await first.evaluate(() => {
      document.documentElement.classList.add('measure');
      const height = Math.ceil(document.body.getBoundingClientRect().height);
      document.documentElement.classList.remove('measure');
      return height;
    });
    return Math.abs((await one.boundingBox()).height - wanted) <= 1;
  });
  assert.equal((await page.locator('#two iframe').boundingBox()).height, 123);
  // Whoever has the link's own address at hand gets the panel that is nearest to that page.
  const own = await eventually('the panel of the page', () => frames(page).find((panel) => panel.url().includes('view=node')));
  await own.locator('.headline', { hasText: 'eu-2' }).waitFor();
  assert.equal((await page.locator('#page iframe').boundingBox()).height, 140);
  const theme = (panel) => panel.evaluate(() => document.documentElement.dataset.theme);
  assert.equal(await theme(first), 'light');
  assert.equal(await theme(frames(page).find((panel) => panel.url().includes('view=uptime'))), 'dark');
  await page.evaluate(() => { document.documentElement.style.colorScheme = 'dark'; });
  await eventually('the panel has the new theme', async () => (await theme(first)) === 'dark');
  await page.getByText('Nothing here').waitFor();
  await page.done();
  portal.policy = undefined;
});

test('the element follows its attributes and properties at run time, moves, and asks for no trusted type', async () => {
  const { token } = await shared();
  portal.policy = `default-src 'none'; script-src ${fleetglass.url} 'nonce-own'; frame-src ${fleetglass.url}; require-trusted-types-for 'script'; trusted-types 'none'`;
  const address = (view) => `${fleetglass.url}/embed/${token}?view=${view}`;
  // Its source is set as a property before the script has come, as frameworks may do.
  portal.html = `<div id="here"><fleetglass-panel id="one"></fleetglass-panel></div><div id="there"></div>
    <fleetglass-panel id="two" src="${address('uptime')}" height="120"></fleetglass-panel>
    <script nonce="own">document.getElementById('one').src = '${address('fleet')}';</script>
    <script src="${fleetglass.url}/embed.js"></script>`;
  const page = await visit(portal);
  const one = page.locator('#one');
  const shown = (view) => eventually(`${view} is shown`, () => frames(page).find((frame) => frame.url().includes(`view=${view}`)));
  const heard = () => eventually('the panel has said its height', async () => (await one.locator('iframe').boundingBox()).height !== 320);
  const set = (name, value) => one.evaluate((element, [key, to]) => (to === null ? element.removeAttribute(key) : element.setAttribute(key, to)), [name, value]);
  await (await shown('fleet')).getByText('All 2 well').waitFor();
  await heard();
  const steps = await page.evaluate(() => history.length);
  await set('src', address('node&node=eu-1'));
  await (await shown('node')).locator('.headline', { hasText: 'eu-1' }).waitFor();
  await eventually('the first frame is gone', () => frames(page).length === 2);
  assert.equal(await page.evaluate(() => history.length), steps, 'another panel is no step in the history');

  await set('height', '150');
  assert.equal((await one.locator('iframe').boundingBox()).height, 150);
  await set('height', null);
  await one.evaluate((element) => { element.ratio = '2/1'; });
  const { width, height } = await one.locator('iframe').boundingBox();
  assert.ok(Math.abs(width / height - 2) < 0.02, `${width} by ${height}`);
  await one.evaluate((element) => { element.ratio = null; });
  assert.equal(await one.getAttribute('ratio'), null);

  const theme = async (view) => (await shown(view)).evaluate(() => document.documentElement.dataset.theme);
  await set('theme', 'dark');
  await eventually('it is dark', async () => (await theme('node')) === 'dark');
  await set('theme', null);
  await eventually('it is light as the page is', async () => (await theme('node')) === 'light');
  await page.evaluate(() => { document.getElementById('here').style.colorScheme = 'dark'; });
  await eventually('it is dark as its place is', async () => (await theme('node')) === 'dark');
  assert.equal(await theme('uptime'), 'light', 'the other one is elsewhere');

  await page.evaluate(() => document.getElementById('there').append(document.getElementById('one')));
  await (await shown('node')).locator('.headline', { hasText: 'eu-1' }).waitFor();
  await eventually('it is as light as its new place', async () => (await theme('node')) === 'light');
  await page.evaluate(() => { self.kept = document.getElementById('one'); self.kept.remove(); });
  await eventually('its frame is gone', () => frames(page).length === 1);
  await page.evaluate(() => document.getElementById('here').append(self.kept));
  await (await shown('node')).locator('.headline', { hasText: 'eu-1' }).waitFor();
  await page.done();
  portal.policy = undefined;
});

test('the panels of a page are asked for together', async () => {
  const { token } = await shared();
  portal.html = Array.from({ length: 6 }, (_, at) => frame(token, VIEWS[at % 2])).join('');
  const context = await browser.newContext({ viewport: { width: 1440, height: 1200 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const asked = [];
  context.on('request', (request) => { if (new URL(request.url()).pathname.endsWith('/panel')) asked.push(request.url()); });
  await page.goto(portal.origin);
  for (const one of frames(page)) await isLive(one);
  node.pages['/health'] = health('degraded');
  for (const one of frames(page).filter((panel) => panel.url().includes('view=fleet'))) await one.getByText('2 of 2 not well').waitFor();
  node.pages['/health'] = health('ok');
  assert.deepEqual(asked, [], 'no frame asked for itself alone');
  await context.close();
});

test('a panel that takes long is asked for alone from then on, and the others stay live', async () => {
  const { token } = await shared();
  // Says in place of the server that one takes too long together with others; alone it comes after the 2 s that are long.
  const asked = { together: [], alone: 0, isLate: false };
  const between = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, fleetglass.url);
    const wishes = searchParams.getAll('panel');
    const isAlone = pathname.endsWith('/panel');
    if (pathname.endsWith('/panels')) asked.together.push(...wishes);
    if (isAlone) asked.alone += 1;
    if (isAlone && asked.isLate) return response.writeHead(504).end('It takes long');
    const forward = () => get(`${fleetglass.url}${request.url}`, { headers: { ...request.headers, 'accept-encoding': 'identity' } }, (answer) => {
      if (!pathname.endsWith('/panels')) return answer.pipe(response.writeHead(answer.statusCode, answer.headers));
      let text = '';
      return answer.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => {
        const { panels } = JSON.parse(text);
        wishes.forEach((wish, at) => { if (wish.includes('view=node')) panels[at] = { status: 504, text: 'It takes long' }; });
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ panels }));
      });
    }).on('error', () => response.destroy());
    return isAlone ? setTimeout(forward, 2_200) : forward();
  });
  await new Promise((resolve) => { between.listen(0, '127.0.0.1', resolve); });
  between.unref().on('connection', (socket) => socket.unref());
  const origin = `http://127.0.0.1:${between.address().port}`;
  portal.html = ['view=node&node=eu-1', 'view=fleet'].map((view) => `<iframe title="Panel" width="640" height="360" src="${origin}/embed/${token}?${view}"></iframe>`).join('');
  const page = await visit(portal, [/504/]);
  const [slow, fleet] = await eventually('both are there', () => frames(page).length === 2 && frames(page));
  await isLive(slow);
  await isLive(fleet);
  const says = async (version, words, status) => {
    node.pages['/health'] = health(status, version);
    await fleet.getByText(words).waitFor();
  };
  await says('2.0.0', '2 of 2 not well', 'degraded');
  await slow.getByText('2.0.0').waitFor();
  await says('3.0.0', 'All 2 well', 'ok');
  await slow.getByText('3.0.0').waitFor();
  const together = asked.together.filter((wish) => wish.includes('view=node'));
  assert.equal(together.length, 1, `once with the others: ${asked.together}`);
  assert.ok(asked.alone >= 2, `${asked.alone} times alone`);
  asked.isLate = true;
  await says('4.0.0', '2 of 2 not well', 'degraded');
  await slow.getByText('Takes too long').waitFor();
  // The one before it may have been under way.
  assert.ok(await slow.getByText(/[34]\.0\.0/).isVisible(), 'what was drawn stays');
  await says('1.0.0', 'All 2 well', 'ok');
  await isLive(fleet);
  between.closeAllConnections();
  await page.done();
});

test('in the smallest frame and in larger ones nothing is cut off, and each says something', async () => {
  const { token } = await shared();
  node.pages['/health'] = health('degraded');
  const all = (status) => eventually(`all are ${status}`, async () => (await (await fetch(`${fleetglass.url}/embed/${token}/api/v1/panel.json`)).json()).fleet.counts[status] === 2);
  await all('degraded');
  for (const [width, height] of [[200, 80], [320, 200], [640, 360]]) {
    for (const view of [...VIEWS, 'view=alerts', 'view=risk']) {
      const page = await openPage(browser, `${fleetglass.url}/embed/${token}?${view}`, { viewport: { width, height } });
      await isLive(page);
      const cut = await page.evaluate(() => {
        const isShown = (element) => element.checkVisibility() && element.textContent.trim() && !element.closest('.sr-only, script');
        // What scrolls goes on below; of facts those are seen that have room, each whole.
        const isSeen = (element) => element.getBoundingClientRect().left < document.documentElement.clientWidth;
        const all = [...document.querySelectorAll('h1, p, li, dt, dd, td, th, .big, .word')].filter((element) => isShown(element) && isSeen(element) && !element.parentElement.closest('.rows, .uptime'));
        const { clientWidth, clientHeight } = document.documentElement;
        return all.filter((element) => {
          const { right, bottom } = element.getBoundingClientRect();
          return right > clientWidth || bottom > clientHeight || (element.matches('.big, .state') && element.scrollWidth > element.clientWidth);
        }).map((element) => `${element.className || element.tagName}: ${element.textContent}`);
      });
      assert.deepEqual(cut, [], `${view} at ${width} × ${height}`);
      const words = (await page.locator('main').innerText()).trim().split('\n').filter(Boolean);
      assert.ok(words.length >= (view.includes('chart') ? 1 : 2), `${view} at ${width} × ${height} says only ${words}`);
      await page.done();
    }
  }
  node.pages['/health'] = health('ok');
  await all('healthy');
});

test('panels can be read by everybody, and charts by keyboard and finger', async () => {
  const { token } = await shared();
  await eventually('there are values', async () => {
    const answer = await fetch(`${fleetglass.url}/embed/${token}/api/v1/panel.json?view=chart&query=up`);
    return (await answer.json()).chart.series.length > 0;
  });
  for (const view of [...VIEWS, 'view=alerts', 'view=risk', 'view=nothing']) {
    const expected = view === 'view=nothing' ? [/400/] : [];
    for (const theme of ['light', 'dark']) {
      const page = await openPage(browser, `${fleetglass.url}/embed/${token}?${view}&theme=${theme}`, { viewport: { width: 640, height: 360 }, theme, expected });
      // Its own ground is transparent: it stands on one of that theme.
      await page.evaluate((ground) => { document.documentElement.style.background = ground; }, theme === 'dark' ? '#16181d' : '#ffffff');
      await assertAccessible(page, `${view} ${theme}`);
      await page.done();
    }
  }
  const page = await openPage(browser, `${fleetglass.url}/embed/${token}?view=chart&query=up&range=5m`, { viewport: { width: 640, height: 360 } });
  const plot = page.getByRole('slider');
  await plot.focus();
  await page.keyboard.press('End');
  await page.locator('.tip .value').first().waitFor();
  assert.match(await plot.getAttribute('aria-valuetext'), /eu-1/);
  const last = Number(await plot.getAttribute('aria-valuenow'));
  await page.keyboard.press('ArrowLeft');
  assert.equal(Number(await plot.getAttribute('aria-valuenow')), last - 1);
  await page.keyboard.press('Escape');
  await page.locator('.tip').waitFor({ state: 'hidden' });
  const box = await plot.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 20);
  await page.locator('.tip').waitFor();
  assert.ok(Math.abs(Number(await plot.getAttribute('aria-valuenow')) - last / 2) <= 1);
  // What is fetched anew takes neither the focus nor the place.
  await page.getByText(/^Live$/).waitFor();
  await plot.focus();
  await page.evaluate(() => { document.querySelector('.plot').dataset.seen = 'yes'; });
  const before = await page.locator('#as-of').innerText();
  await eventually('it was fetched anew', async () => (await page.locator('#as-of').innerText()) !== before);
  assert.ok(await plot.evaluate((element) => element === document.activeElement));
  await page.done();
});

test('without a connection a panel says so, and how old it is', async () => {
  const { token } = await shared();
  portal.html = frame(token, 'view=fleet');
  const page = await visit(portal, [/ERR_INTERNET_DISCONNECTED/]);
  const [panel] = frames(page);
  await panel.getByText(/^Live$/).waitFor();
  await page.context().setOffline(true);
  await panel.getByText(/^(Offline|No connection)$/).waitFor();
  await panel.getByText(/ ago$/).waitFor();
  assert.ok(await panel.getByText('All 2 well').isVisible(), 'what was known last stays');
  await page.context().setOffline(false);
  await panel.getByText(/^Live$/).waitFor();
  await page.done();
});

test('the app makes the text to paste, with the panel as it will be, and the text works', async () => {
  const page = await openPage(browser, `${fleetglass.url}/embed`);
  await page.getByText('Paste a share link, or make one').waitFor();
  await page.getByLabel('Paste a link').fill('https://fleet.example/s/short');
  await page.getByText('That is no share link').waitFor();
  await page.getByRole('textbox', { name: 'Title' }).first().fill('For a portal');
  await page.getByLabel('Pages that may show it').fill(`${portal.origin}/nodes https://other.example`);
  await page.getByRole('button', { name: 'Make a link' }).click();
  await page.getByText('Shows “For a portal”.').waitFor();
  const preview = page.frameLocator('.embed-frame');
  await preview.getByText('All 2 well').waitFor();
  await page.getByText(`May be shown by ${portal.origin}, https://other.example.`).waitFor();
  await page.getByLabel('Shows').selectOption('node');
  await page.getByRole('combobox', { name: 'Node', exact: true }).selectOption('eu-2');
  await preview.locator('.headline', { hasText: 'eu-2' }).waitFor();
  await page.getByLabel('Size').selectOption('320x200');
  assert.deepEqual(await page.locator('.embed-frame').evaluate(({ width, height }) => [width, height]), ['320', '200']);
  await assertAccessible(page, 'the page that makes panels');
  const text = (name) => page.getByRole('region', { name, exact: true }).locator('code').innerText();
  portal.html = await text('Frame') + await text('Element, as high as it likes') + await text('Badge in HTML');
  assert.match(await text('Badge in Markdown'), /^!\[Status of eu-2\]\(http.*\/badge\/eu-2\.svg\)$/);
  const said = await (await fetch(await text('oEmbed'))).json();
  assert.equal(said.type, 'rich');
  await page.done();

  const other = await visit(portal);
  const both = await eventually('the frame and the element are there', () => frames(other).length === 2 && frames(other));
  for (const one of both) await one.locator('.headline', { hasText: 'eu-2' }).waitFor();
  await eventually('the badge is there', () => other.locator('img').evaluate((img) => img.naturalHeight === 20));
  await other.done();

  // A link that was made elsewhere is handed over where no server sees it.
  const { token } = await shared({ origins: [] });
  const handed = await openPage(browser, `${fleetglass.url}/embed#${token}`);
  await handed.getByText('Shows “For Acme”.').waitFor();
  assert.ok(!handed.url().includes(token));
  await handed.frameLocator('.embed-frame').getByText('All 2 well').waitFor();
  // It says that a frame of it stays empty elsewhere.
  await handed.getByText('No other page may show it').waitFor();
  await handed.done();
});

test('the app says which panels a pasted link has, and why one has none', async () => {
  const page = await openPage(browser, `${fleetglass.url}/embed`, { viewport: { width: 390, height: 844 }, expected: [/40[34]/] });
  const field = page.getByLabel('Paste a link');
  const paste = async (token) => field.fill(`${fleetglass.url}/s/${token}/`);
  const trouble = page.locator('#embed-trouble');
  // Alerts alone: no list of nodes, and yet a panel.
  const scope = { select: ['{instance!=""}'], views: ['alerts'] };
  await paste((await shared({ scope, title: 'Alarms' })).token);
  await page.getByText('Shows “Alarms”.').waitFor();
  assert.deepEqual(await page.getByLabel('Shows').locator('option').allInnerTexts(), ['Alerts']);
  await page.frameLocator('.embed-frame').getByText('No alerts').waitFor();
  assert.equal(await field.getAttribute('aria-invalid'), 'false');
  for (const [token, words] of [
    [(await shared({ password: 'open sesame' })).token, /password/],
    [(await shared({ max_views: 3 })).token, /so many times/],
    ['0'.repeat(64), /does not open/],
  ]) {
    await paste(token);
    await eventually(`it says ${words}`, async () => words.test(await trouble.innerText()));
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    assert.equal(await page.locator('.embed-frame').count(), 0);
  }
  await paste((await shared()).token);
  await page.getByText('Shows “For Acme”.').waitFor();
  await page.getByLabel('Shows').selectOption('fleet');
  await page.frameLocator('.embed-frame').getByText('All 2 well').waitFor();
  assert.equal(await trouble.innerText(), '');
  // By keyboard alone: to a text and its button, which answers.
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy: Badge in Markdown' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Copied: Badge in Markdown' }).waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^!\[All nodes\]\(http.*\/badge\/status\.svg\)$/);
  await assertNoSidewaysScroll(page, 'the page that makes panels');
  await assertAccessible(page, 'the page that makes panels, on a phone');
  await page.done();
});
