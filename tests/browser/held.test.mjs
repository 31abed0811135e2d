// On a phone the lines of what needs a person stay where they are: nothing moves under a thumb until somebody asks.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { NARROW, PHONE, assertAccessible, assertNoSidewaysScroll, eventually, live, openBrowser, openPage, startNode, startServe } from './harness.mjs';

const WELL = '{"status":"ok"}';
const ILL = '{"status":"unhealthy"}';
const LAME = '{"status":"degraded"}';
let browser;

before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

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
  const more = page.getByRole('button', { name: 'Show 1 node that needs you too' });
  await more.waitFor();
  assert.equal(await lines(), 'a', 'the line stays');
  assert.deepEqual(await place(), before, 'nothing moved');
  await assertAccessible(page, 'held lines');

  await more.click();
  await eventually('the worst is first', async () => await lines() === 'b a');
  await more.waitFor({ state: 'detached' });
  const [first, ...others] = await heights();
  assert.ok(others.every((height) => height === first), 'lines are of one height');

  // What is well again stays until somebody asks, and says so.
  says('b', WELL);
  await title('1 node needs you');
  await page.locator('.attention-line', { hasText: 'Well again' }).waitFor();
  assert.equal(await lines(), 'b a');
  await page.getByRole('button', { name: 'Sort: the worst first' }).waitFor();
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
