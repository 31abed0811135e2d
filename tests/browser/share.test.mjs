// A share link, as a client opens it who got it by mail: only what was meant, and nothing to break.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertAccessible, counted, eventually, fleetOf, live, openBrowser, openPage, rows, startDemo } from './harness.mjs';

let browser;
let demo;

before(async () => {
  [browser, demo] = await Promise.all([openBrowser(), startDemo({ nodes: 20 })]);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function shared(family) {
  const scope = { select: [`{family="${family}"}`], views: ['fleet', 'node', 'charts', 'alerts', 'risks'], aliases: true };
  const answer = await fetch(`${demo.url}/api/v1/shares`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'For Acme', by: 'Ada <b>', scope }),
  });
  assert.equal(answer.status, 201);
  return answer.json();
}

test('a link shows its nodes under their aliases, and nothing that writes', async () => {
  const { nodes } = await fleetOf(demo.url);
  const { family } = nodes[0];
  const own = nodes.filter((node) => node.family === family);
  const { path, share } = await shared(family);
  const asked = [];
  const page = await openPage(browser, `${demo.url}${path}`, { expected: [/40[14]/] });
  page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await live(page);
  await page.getByText('For Acme: read-only, shared by Ada <b>').waitFor();
  await eventually('the nodes of the link are there, and no others', async () => (await counted(page)).total === own.length);
  const names = await rows(page).getByRole('rowheader').allInnerTexts();
  assert.ok(names.length > 0 && names.every((name) => name.includes('node-')), names.join());
  for (const name of ['Alerts', 'Rules', 'Timeline']) {
    assert.equal(await page.getByRole('navigation').getByRole('link', { name }).count(), 0, name);
  }
  await assertAccessible(page, 'a shared fleet');

  const link = rows(page).getByRole('link').first();
  assert.ok((await link.getAttribute('href')).startsWith(path), 'it leads to a page of the link in another tab too');
  await link.click();
  await page.waitForURL(`**${path}nodes/node-*`);
  await page.getByRole('heading', { name: 'Endpoints' }).waitFor();
  // Charts are drawn as they come into sight.
  await page.locator('.chart').first().scrollIntoViewIfNeeded();
  await page.locator('.chart canvas').first().waitFor();
  for (const name of [/acknowledge/i, /silence/i, /^take/i, /restart/i]) {
    assert.equal(await page.getByRole('button', { name }).count(), 0, `${name}`);
  }
  const text = await page.locator('body').innerText();
  for (const node of nodes) assert.ok(!text.includes(node.id), `${node.id} is on the page`);
  assert.ok(!text.includes('127.0.0.1'), 'an address is on the page');
  await page.reload();
  await page.getByRole('heading', { name: 'Endpoints' }).waitFor();
  await page.getByRole('link', { name: 'Back to the fleet' }).click();
  await eventually('the list is there again', async () => (await counted(page)).total === own.length);

  const strays = asked.filter((request) => /\/api\//.test(request) && !request.startsWith(`GET ${path}api/`));
  assert.deepEqual(strays, [], 'everything is asked below the link, and only read');

  // Taken back while it is looked at.
  await fetch(`${demo.url}/api/v1/shares/${share.id}`, { method: 'DELETE' });
  await page.locator('.connection').filter({ hasNotText: 'live' }).waitFor();
  const closed = await fetch(`${demo.url}${path}`);
  assert.equal(closed.status, 404);
  assert.match(await closed.text(), /does not open/);
  await page.done();
});
