// What is seen stays where it is: when the app takes over from the first view, and on a phone under a thumb.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { NARROW, PHONE, assertAccessible, assertNoSidewaysScroll, eventually, live, openBrowser, openPage, startNode, startServe } from './harness.mjs';

const WELL = '{"status":"ok"}';
const ILL = '{"status":"unhealthy"}';
const LAME = '{"status":"degraded"}';
let browser;

before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

test('the first view takes the page and the fleet in a few lines, and nothing moves when the app takes over', async () => {
  const well = await startNode({ '/health': WELL });
  const lame = await startNode({ '/health': LAME });
  const served = await startServe(`[scrape]\ninterval = "300ms"\ntimeout = "300ms"\n
    [[target]]\nid = "a"\nfamily = "generic"\nurl = "${lame.url}"\n[[target]]\nid = "b"\nfamily = "generic"\nurl = "${well.url}"\n`);
  const link = await (await fetch(`${served.url}/api/v1/shares`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'For Acme', scope: { select: ['{instance!=""}'], views: ['fleet', 'alerts'] } }),
  })).json();
  for (const [path, what] of [['/', 'the fleet'], [link.path, 'a link to it']]) {
    for (const state of ['troubled', 'well']) {
      lame.pages['/health'] = state === 'well' ? WELL : LAME;
      const words = state === 'well' ? 'All 2 nodes are well.' : '1 node needs you';
      await eventually(words, async () => (await (await fetch(`${served.url}/api/v1/glance`)).json()).title === words);
      const page = await openPage(browser, 'about:blank', { viewport: PHONE, touch: true });
      let go;
      const held = new Promise((resolve) => { go = resolve; });
      await page.route('**/*_bg.wasm', async (route) => { await held; await route.continue(); });
      const asked = [];
      page.on('request', (request) => asked.push(new URL(request.url()).pathname));
      await page.goto(new URL(path, served.url).href);
      const first = page.getByText(words, { exact: true });
      await first.waitFor();
      const sheets = asked.filter((file) => file.endsWith('.css') || (file.endsWith('.js') && !file.startsWith('/fleetglass-frontend')));
      assert.deepEqual(sheets, [], `${what}, ${state}: it waits for no file`);
      const parts = page.locator('.share-banner, .attention-title, .attention-line, .all-well-words');
      const places = () => parts.evaluateAll((all) => all.map((part) => {
        const { x, y, height } = part.getBoundingClientRect();
        return [part.className.split(' ')[0], x, y, height];
      }));
      const before = await places();
      assert.ok(before.length >= (path === '/' ? 1 : 2), `${what}, ${state}: ${before}`);
      go();
      await live(page);
      await page.locator('.summary').waitFor();
      assert.deepEqual(await places(), before, `${what}, ${state}: nothing moved`);
      await page.done();
    }
  }
  await served.stop();
  await Promise.all([well.stop(), lame.stop()]);
});

test('on a phone the lines stay where they are, say what is new, and are put in order when asked', async () => {
  const names = ['a', 'b', 'c'];
  const nodes = await Promise.all(names.map(() => startNode({ '/health': WELL })));
  const says = (name, body) => { nodes[names.indexOf(name)].pages['/health'] = body; };
  says('a', LAME);
  const served = await startServe(`[scrape]\ninterval = "300ms"\ntimeout = "300ms"\n
    ${names.map((name, index) => `[[target]]\nid = "${name}"\nfamily = "generic"\nurl = "${nodes[index].url}"\n`).join('')}`);
  const page = await openPage(browser, served.url, { viewport: PHONE, touch: true });
  await live(page);
  const title = (text) => page.getByRole('heading', { name: text }).waitFor();
  const lines = async () => (await page.locator('.attention-node').allInnerTexts()).join(' ');
  const heights = () => page.locator('.attention-line').evaluateAll((all) => all.map((line) => line.getBoundingClientRect().height));
  await title('1 node needs you');
  assert.equal(await lines(), 'a');

  const place = () => page.locator('.attention-line').first().boundingBox();
  const before = await place();
  says('b', ILL);
  await title('2 nodes need you');
  const more = page.getByRole('button', { name: /^1 new ?: show what needs you by now$/ });
  await more.waitFor();
  assert.equal(await lines(), 'a', 'the line stays');
  assert.deepEqual(await place(), before, 'nothing moved');
  await assertAccessible(page, 'held lines');

  await more.click();
  await eventually('the worst is first', async () => await lines() === 'b a');
  await more.waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.id), 'attention-title', 'the keyboard goes on from there');
  const [first, ...others] = await heights();
  assert.ok(others.every((height) => height === first), 'lines are of one height');

  // From a line the next node is that of the next line, not of the table.
  await page.locator('.attention-link').first().click();
  await page.locator('a[rel=next][aria-label="Next node: a"]').waitFor();
  assert.equal(await page.locator('a[rel=prev]').count(), 0);
  await page.goBack();
  await eventually('the lines are there again', async () => await lines() === 'b a');

  // What is well again stays until somebody asks, and says so.
  says('b', WELL);
  await title('1 node needs you');
  await page.locator('.attention-line', { hasText: 'Well again' }).waitFor();
  assert.equal(await lines(), 'b a');
  await page.getByRole('button', { name: /^Sort ?: the worst first$/ }).waitFor();
  await page.setViewportSize(NARROW);
  await assertNoSidewaysScroll(page, 'held lines');
  await page.setViewportSize(PHONE);
  await page.evaluate(() => dispatchEvent(new Event('fleetglass-refresh')));
  await eventually('pulling down puts them in order', async () => await lines() === 'a');

  says('a', WELL);
  await page.getByText('All 3 nodes are well.').waitFor();
  // From nothing to something it says so at once.
  says('c', ILL);
  await title('1 node needs you');
  assert.equal(await lines(), 'c');
  await page.done();
  await served.stop();
  await Promise.all(nodes.map((node) => node.stop()));
});
