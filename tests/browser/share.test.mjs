// A share link, as a client opens it who got it by mail: only what was meant, and nothing to break.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertAccessible, assertNoSidewaysScroll, counted, eventually, filterBox, fleetOf, live, openBrowser, openPage, PHONE, rows, startDemo } from './harness.mjs';

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
  // Of which family there is an alert that follows from one node alone changes with the time.
  const { family, path, share } = await eventually('a link with an alert', async () => {
    for (const family of new Set(nodes.map((node) => node.family))) {
      const made = await shared(family);
      const alerts = await (await fetch(`${demo.url}${made.path}api/v1/alerts`)).json();
      if (alerts.length) return { family, ...made };
      await fetch(`${demo.url}/api/v1/shares/${made.share.id}`, { method: 'DELETE' });
    }
    return undefined;
  });
  const own = nodes.filter((node) => node.family === family);
  const asked = [];
  const page = await openPage(browser, `${demo.url}${path}`, { expected: [/40[14]/] });
  page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await live(page);
  await page.getByText('For Acme: read-only, shared by Ada <b>').waitFor();
  await eventually('the nodes of the link are there, and no others', async () => (await counted(page)).total === own.length);
  const names = await rows(page).getByRole('rowheader').allInnerTexts();
  assert.ok(names.length > 0 && names.every((name) => name.includes('node-')), names.join());
  for (const [name, count] of [['Fleet', 1], ['Risks', 1], ['Alerts', 1], ['Rules', 0], ['Timeline', 0], ['Shares', 0]]) {
    assert.equal(await page.getByRole('navigation').getByRole('link', { name }).count(), count, name);
  }
  assert.equal(await page.getByRole('link', { name: 'Share', exact: true }).count(), 0);
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

  // Its risks and alerts: to read, and nothing to do about them.
  await page.getByRole('navigation').getByRole('link', { name: 'Risks' }).click();
  await page.locator('.risk-row').first().waitFor();
  await assertAccessible(page, 'shared risks');
  await page.getByRole('navigation').getByRole('link', { name: 'Alerts' }).click();
  await eventually('an alert is there', async () => {
    for (const tab of ['Firing', 'Pending']) {
      await page.getByRole('button', { name: new RegExp(`^${tab}`) }).click();
      if (await page.locator('a.alert-name').count()) return true;
    }
    return false;
  });
  await assertAccessible(page, 'shared alerts');
  await page.locator('a.alert-name').first().click();
  await page.getByRole('heading', { name: 'What happened to it' }).waitFor();
  for (const name of [/acknowledge/i, /silence/i, /^take/i, /give back/i]) {
    assert.equal(await page.getByRole('button', { name }).count(), 0, `${name}`);
  }
  const read = await page.locator('body').innerText();
  for (const node of nodes) assert.ok(!read.includes(node.id), `${node.id} is on the page of an alert`);

  const strays = asked.filter((request) => /\/api\//.test(request) && !request.startsWith(`GET ${path}api/`));
  assert.deepEqual(strays, [], 'everything is asked below the link, and only read');

  // Taken back while it is looked at: the page says so by itself.
  const at = Date.now();
  await fetch(`${demo.url}/api/v1/shares/${share.id}`, { method: 'DELETE' });
  await page.getByRole('heading', { name: 'This link does not open' }).waitFor();
  console.log(`the viewer's page said that the link has ended after ${Date.now() - at} ms`);
  await assertAccessible(page, 'a link that has ended');
  const closed = await fetch(`${demo.url}${path}`);
  assert.equal(closed.status, 404);
  await page.done();
});

test('a link is made from what is filtered, looked at beforehand, changed and revoked', async () => {
  const { nodes } = await fleetOf(demo.url);
  const { family } = nodes[0];
  const own = nodes.filter((node) => node.family === family);
  // A selector that is wrong while it is written.
  const page = await openPage(browser, `${demo.url}/`, { expected: [/400 .*\/drafts/] });
  await live(page);
  await filterBox(page).fill(`family:${family} state:healthy`);
  await page.getByRole('link', { name: 'Share', exact: true }).click();
  const form = page.getByRole('dialog', { name: 'New link' });
  await form.getByText(`${own.length} nodes just now`).waitFor();
  assert.equal(await form.getByLabel(/^Nodes/).inputValue(), `{family="${family}"}`);
  await form.getByText('No selector says state:healthy').waitFor();
  await form.getByText('no addresses or host names').waitFor();
  await assertAccessible(page, 'the form of a link');

  // What is wrong is said where it is written.
  await form.getByLabel(/^Nodes/).fill('{family=');
  await form.getByText('column').waitFor();
  await form.getByLabel(/^Nodes/).fill(`{family="${family}"}`);
  await form.getByText(`${own.length} nodes just now`).waitFor();
  await form.getByText('More: what').click();
  await form.getByLabel('Aliases in place').check();
  await form.getByLabel('A note').fill('Ask us anything');
  await form.getByText('Aliases in place of names').waitFor();

  const previewed = page.waitForEvent('popup');
  await eventually('the draft has the alias', async () => {
    const link = await form.getByRole('link', { name: 'Preview' }).getAttribute('href');
    const fleet = await (await fetch(`${demo.url}${link}api/v1/fleet`)).text();
    return fleet.includes('node-') && !fleet.includes(own[0].id);
  });
  await form.getByRole('link', { name: 'Preview' }).click();
  const preview = await previewed;
  await preview.getByText('You preview what Untitled shows').waitFor();
  await preview.getByText('Ask us anything').waitFor();
  await eventually('it shows the nodes as the viewer sees them', async () => (await counted(preview)).total === own.length);
  const seen = await preview.locator('body').innerText();
  for (const node of nodes) assert.ok(!seen.includes(node.id), `${node.id} is in the preview`);
  await assertAccessible(preview, 'a preview');
  await preview.close();

  await form.getByRole('button', { name: 'Make the link' }).click();
  await form.getByRole('alert').filter({ hasText: 'Write a title' }).waitFor();
  await form.getByLabel(/^Title/).fill('For Bob');
  await form.getByRole('button', { name: 'Make the link' }).click();
  const made = page.getByRole('dialog', { name: 'For Bob is open' });
  await made.getByRole('img', { name: 'QR code of the link' }).waitFor();
  const url = await made.getByRole('textbox', { name: 'The link' }).inputValue();
  assert.match(url, /\/s\/[0-9a-f]{64}\/$/);
  await assertAccessible(page, 'a link that was made');
  const download = page.waitForEvent('download');
  await made.getByRole('link', { name: 'Download the QR code' }).click();
  assert.match((await download).suggestedFilename(), /^share-.*\.svg$/);
  await made.getByRole('button', { name: 'Done' }).click();
  assert.equal(new URL(page.url()).search, '', 'a reload opens no form again');
  assert.ok(!(await page.locator('body').innerText()).includes(url), 'it is shown once');

  const viewer = await openPage(browser, url, { expected: [/404/] });
  await live(viewer);
  const row = page.getByRole('listitem').filter({ hasText: 'For Bob' });
  await row.getByText('1 person looks now').waitFor();
  await row.getByText('opened once').waitFor();
  await row.getByRole('button', { name: 'Edit For Bob' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit For Bob' });
  await edit.getByLabel(/^Title/).fill('For Bob and Eve');
  await edit.getByRole('button', { name: 'Save' }).click();
  await page.getByText('For Bob and Eve').waitFor();
  await assertAccessible(page, 'the shares');

  await page.getByRole('button', { name: 'Revoke For Bob and Eve' }).click();
  const sure = page.getByRole('dialog', { name: 'Revoke For Bob and Eve?' });
  await sure.getByRole('button', { name: 'Revoke' }).click();
  await viewer.getByRole('heading', { name: 'This link does not open' }).waitFor();
  await page.getByText(/opens? no more/).first().waitFor();
  await viewer.done();
  await page.done();
});

test('two hundred links fit a phone', async () => {
  const scope = { select: ['{instance!=""}'], views: ['fleet'] };
  for (let at = 0; at < 200; at += 1) {
    const title = `Link ${at} ${'with a long title '.repeat(at % 4)}`;
    const answer = await fetch(`${demo.url}/api/v1/shares`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title, by: 'Ada', scope }),
    });
    assert.equal(answer.status, 201);
  }
  const page = await openPage(browser, `${demo.url}/shares`, { viewport: PHONE, touch: true });
  await page.getByText(/20\d open links/).waitFor();
  await assertNoSidewaysScroll(page, 'the shares on a phone');
  const [box] = await page.getByRole('button', { name: /^Edit Link 199/ }).all();
  assert.ok((await box.boundingBox()).height >= 44, 'a finger hits it');
  await page.getByLabel(/^Filter links/).fill('link 7');
  await page.getByText(/^38 open links/).waitFor();
  await page.done();
});
