// Public status pages: an operator writes from a phone, readers read, also without a script and by keyboard.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESKTOP, NARROW, PHONE, assertAccessible, assertNoSidewaysScroll, eventually, openBrowser, openPage, startDemo } from './harness.mjs';

let browser;
let demo;
let api;

before(async () => {
  [browser, demo] = await Promise.all([openBrowser(), startDemo({ nodes: 20, faults: 'none' })]);
  api = `${demo.url}/api/v1/status/acme`;
  for (const [slug, title, group_by] of [['acme', 'Acme staking', 'region'], ['plain', 'Every node', undefined]]) {
    const scope = { select: ['{instance!=""}'], views: ['fleet'] };
    const made = await post(`${demo.url}/api/v1/shares`, { title, by: 'Ada', scope, slug, group_by });
    assert.equal(made.status, 201, await made.text());
  }
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

function post(url, body) {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

async function posts() {
  return (await (await fetch(`${api}/posts`)).json()).posts;
}

test('an operator writes of an incident from a phone, goes on with it, ends it and deletes it', async () => {
  const page = await openPage(browser, `${demo.url}/status`, { viewport: PHONE, touch: true });
  await page.getByRole('heading', { name: 'Acme staking' }).waitFor();
  await page.getByText('Nothing is written on this page').waitFor();
  await assertAccessible(page, 'the empty desk');
  await page.getByRole('button', { name: 'Write an incident' }).click();
  await page.getByLabel('Title').fill('Slow <answers>');
  await page.getByLabel('How much it is felt').selectOption('major');
  const first = page.getByRole('group', { name: 'What it affects' }).getByRole('button').first();
  await first.click();
  assert.equal(await first.getAttribute('aria-pressed'), 'true');
  await page.getByLabel('What readers are told').fill('We look into it.\nMore at https://example.org/x');
  await assertAccessible(page, 'the form');
  await assertNoSidewaysScroll(page, 'the form');
  for (const box of await page.locator('.status-page button, .status-page .field').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height))) {
    assert.ok(box >= 44, `something to press is ${box} px high`);
  }
  await page.getByRole('button', { name: 'Publish the incident' }).click();
  await page.getByRole('heading', { name: 'Slow <answers>' }).waitFor();
  assert.equal((await posts())[0].impact, 'major');

  await page.getByRole('button', { name: 'Resolve: Slow <answers>' }).click();
  assert.equal(await page.getByLabel('State').inputValue(), 'resolved');
  await page.getByLabel('What readers are told').fill('It is mended.');
  await page.getByRole('button', { name: 'Publish the update' }).click();
  await page.getByText('It is mended.').waitFor();
  assert.equal((await posts())[0].state, 'resolved');

  // It asks before it deletes, and the first thing to press is to keep it.
  await page.getByRole('button', { name: 'Delete: Slow <answers>' }).click();
  await eventually('the question has the focus', () => page.evaluate(() => document.activeElement?.textContent === 'Keep it'));
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Delete: Slow <answers>' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('Nothing is written on this page').waitFor();
  assert.deepEqual(await posts(), []);
  await page.done();
});

test('a maintenance is planned by the clock of whoever plans it, and what is wrong is said', async () => {
  const page = await openPage(browser, `${demo.url}/status?page=acme`, { viewport: DESKTOP, theme: 'dark', expected: [/400/] });
  await page.getByRole('button', { name: 'Plan a maintenance' }).click();
  await page.getByLabel('Title').fill('New kernel');
  await page.getByLabel('What readers are told').fill('Each restarts once.');
  await page.getByLabel(/^Begins/).fill('2031-02-03T10:00');
  await page.getByLabel('Ends').fill('2031-02-03T09:00');
  await page.getByRole('button', { name: 'Publish the maintenance' }).click();
  await page.getByText('It ends before it begins.').waitFor();
  await page.getByLabel('Ends').fill('2031-02-03T12:00');
  await page.getByRole('button', { name: 'Publish the maintenance' }).click();
  // The proxy's own words, and what was written is still there.
  await page.getByText('more than 400 days away').waitFor();
  assert.equal(await page.getByLabel('Title').inputValue(), 'New kernel');
  const year = new Date().getFullYear() + 1;
  await page.getByLabel(/^Begins/).fill(`${year}-01-03T10:00`);
  await page.getByLabel('Ends').fill(`${year}-01-03T12:00`);
  await page.getByRole('button', { name: 'Publish the maintenance' }).click();
  await page.getByRole('heading', { name: 'New kernel' }).waitFor();
  const [{ starts_at, ends_at, state }] = await posts();
  assert.deepEqual([starts_at, ends_at - starts_at, state], [new Date(year, 0, 3, 10).getTime(), 7_200_000, 'scheduled']);
  await assertAccessible(page, 'the desk in the dark');
  await page.done();
});

test('an operator sees who is told, and takes somebody away', async () => {
  const subscribed = await post(`${demo.url}/status/acme/subscribe`, { webhook: 'https://hooks.example.invalid/told' });
  assert.equal(subscribed.status, 202);
  const page = await openPage(browser, `${demo.url}/status?page=acme`, { viewport: PHONE, touch: true });
  await page.getByRole('button', { name: 'Nobody has subscribed' }).click();
  const told = page.getByRole('region', { name: 'Who is told' });
  await told.getByText('webhook, has not confirmed it').waitFor();
  await assertAccessible(page, 'who is told');
  await assertNoSidewaysScroll(page, 'who is told');
  await told.getByRole('button', { name: 'Remove https://hooks.example.invalid/told' }).click();
  await told.getByText('Nobody has subscribed.').waitFor();
  await page.done();
});

test('readers see it on any screen, in both themes, and nothing on it is grave to axe', async () => {
  await post(`${api}/posts`, { kind: 'incident', title: 'Slow answers', text: 'We look into it.', impact: 'major' });
  for (const options of [{ viewport: DESKTOP }, { viewport: PHONE, theme: 'dark' }, { viewport: NARROW }]) {
    for (const slug of ['acme', 'plain']) {
      const page = await openPage(browser, `${demo.url}/status/${slug}`, options);
      await page.getByRole('status').getByText(/nodes? (is|are)/).waitFor();
      await page.getByRole('heading', { name: 'Past incidents and maintenance' }).waitFor();
      const what = `${slug} at ${options.viewport.width}`;
      await page.locator('details').evaluateAll((all) => all.forEach((one) => { one.open = true; }));
      await assertAccessible(page, what);
      await assertNoSidewaysScroll(page, what);
      await page.done();
    }
  }
});

test('days are read by keyboard, in few steps', async () => {
  const page = await openPage(browser, `${demo.url}/status/plain`);
  const stops = await page.locator('section.part').first().locator('a, button, summary, input, [tabindex]').count();
  assert.equal(stops, 1, 'one stop a node, not one a day');
  assert.equal(await page.locator('section.part').first().locator('.bars > i').count(), 90);
  await page.locator('summary').first().focus();
  await page.keyboard.press('Enter');
  await page.locator('.days').first().getByText('no data').waitFor();
  await page.done();
});

test('without a script everything is there, and a form works', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${demo.url}/status/acme`);
  await page.getByRole('heading', { name: 'Acme staking' }).waitFor();
  await page.locator('summary').first().click();
  assert.ok(await page.locator('.days').first().isVisible());
  await page.getByLabel('The URL of your webhook').fill('https://hooks.example.invalid/status');
  await page.getByRole('button', { name: 'Subscribe by webhook' }).click();
  await page.getByRole('heading', { name: 'A challenge is on its way' }).waitFor();
  assert.match(await page.locator('pre').innerText(), /^whsec_/);
  await page.getByRole('link', { name: 'Back to the status page' }).click();
  await page.getByRole('heading', { name: 'Acme staking' }).waitFor();
  await context.close();
});
