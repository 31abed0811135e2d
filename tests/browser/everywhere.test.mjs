// On every screen, in both themes, for everyone: nothing sticks out, and axe has nothing serious to say.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  DESKTOP,
  NARROW,
  PHONE,
  assertAccessible,
  assertNoSidewaysScroll,
  coloursOf,
  eventually,
  filterBox,
  fleetOf,
  live,
  openBrowser,
  openPage,
  rows,
  smallTargets,
  startDemo,
  tiles,
} from './harness.mjs';

let browser;
let demo;
let worst;

before(async () => {
  [browser, demo] = await Promise.all([openBrowser(), startDemo({ nodes: 60 })]);
  const { nodes } = await fleetOf(demo.url);
  // The node with the most to say.
  worst = nodes.toSorted((a, b) => (b.reasons?.length ?? 0) - (a.reasons?.length ?? 0))[0].id;
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function nodePage(options) {
  const page = await openPage(browser, `${demo.url}/nodes/${encodeURIComponent(worst)}`, options);
  await page.getByRole('region', { name: 'What it says' }).waitFor();
  return page;
}

for (const [name, viewport] of [['a phone', PHONE], ['320 px', NARROW], ['a desktop', DESKTOP], ['4K', { width: 3840, height: 2160 }]]) {
  test(`nothing scrolls sideways on ${name}`, async () => {
    const page = await openPage(browser, demo.url, { viewport, touch: viewport.width < 500 });
    await live(page);
    await rows(page).first().waitFor();
    await assertNoSidewaysScroll(page, `the fleet page on ${name}`);
    await page.getByRole('button', { name: 'Heat grid' }).click();
    await tiles(page).first().waitFor();
    await assertNoSidewaysScroll(page, `the heat grid on ${name}`);
    await filterBox(page).fill('nothing matches this');
    await page.getByText('No node matches the filter').waitFor();
    await assertNoSidewaysScroll(page, `the empty fleet page on ${name}`);
    await page.done();

    const node = await nodePage({ viewport, touch: viewport.width < 500 });
    await eventually('charts are there', async () => (await node.locator('.chart').count()) > 0);
    await assertNoSidewaysScroll(node, `the node page on ${name}`);
    await node.done();
  });
}

test('a press on a row of a phone opens its node, and back leads to the row', async () => {
  const page = await openPage(browser, demo.url, { viewport: PHONE, touch: true });
  await live(page);
  const first = rows(page).first();
  await first.waitFor();
  const name = await first.getByRole('rowheader').innerText();
  await first.tap();
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await page.getByRole('link', { name: 'Back to the fleet' }).tap();
  await rows(page).first().waitFor();
  await page.done();
});

/** Waits until a page is no sketch any more. */
async function settled(page) {
  await page.locator('main h1, main h2, h1').first().waitFor();
  await eventually('the page is there', () => page.evaluate(() => (
    !document.querySelector('.loading, main > [aria-busy=true]')
      // A page's style sheet may come after its words.
      && [...document.querySelectorAll('link[rel=stylesheet]')].every((link) => link.sheet)
  )));
}

async function send(path, body) {
  const answer = await fetch(`${demo.url}/api/v1/${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  assert.ok(answer.ok, await answer.clone().text());
  return answer.json();
}

/** A link of every view, which is a status page too. */
async function everyView(slug) {
  const scope = { select: ['{instance!=""}'], views: ['fleet', 'node', 'charts', 'alerts', 'risks'] };
  return send('shares', { title: 'For Acme', by: 'Ada', scope, slug, group_by: 'region' });
}

async function anAlert() {
  return eventually('an alert is there', async () => (await fleetOf(demo.url)).alerts?.[0]?.id);
}

test('a finger finds its targets on every page of a phone', async () => {
  await everyView('targets');
  await send('status/targets/posts', { kind: 'incident', title: 'Slow answers', text: 'We look into it.', impact: 'minor' });
  const page = await openPage(browser, demo.url, { viewport: PHONE, touch: true, reducedMotion: 'reduce', expected: [/404/] });
  await live(page);
  const press = (name) => page.getByRole('button', { name }).first().click();
  const found = [];
  for (const [what, path, begin] of [
    ['the fleet', '/'],
    ['the fleet filtered and in groups', '/?group=family&q=family'],
    ['the heat grid', '/', () => press('Heat grid')],
    ['an empty search', '/', async () => { await filterBox(page).fill('nothing matches this'); await page.getByText('No node matches the filter').waitFor(); }],
    ['the glance', '/glance'],
    ['a node', `/nodes/${encodeURIComponent(worst)}`, () => eventually('charts are there', async () => await page.locator('.chart').count() > 0)],
    ['a node\'s menu of ranges', `/nodes/${encodeURIComponent(worst)}`, () => press(/^Time range:/)],
    ['the alerts', '/alerts'],
    ['the history of alerts', '/alerts', async () => { await press(/^History/); await page.locator('.alert-history td a').first().waitFor(); }],
    ['silenced alerts', '/alerts', () => press(/^Silenced/)],
    ['the form of a silence', '/alerts', () => press(/^Silence /)],
    ['an alert', `/alerts/${await anAlert()}`],
    ['the risks', '/risks'],
    ['a risk', '/risks', () => page.locator('.risk-name').first().click()],
    ['the timeline', '/timeline'],
    ['the rules', '/rules'],
    ['a rule', '/rules', () => page.locator('.rule-line').first().click()],
    ['notifications', '/notifications'],
    ['people', '/people'],
    ['shares', '/shares'],
    ['the form of a link', '/shares?new=fleet', async () => {
      await page.getByText('just now').first().waitFor();
      await page.getByText('More: what').click();
    }],
    ['the status desk', '/status'],
    ['the form of an incident', '/status', () => press('Write an incident')],
    ['the page that embeds', '/embed'],
    ['more', '/more'],
    ['no page', '/else'],
    ['a status page', '/status/targets'],
  ]) {
    await page.goto(`${demo.url}${path}`);
    await settled(page);
    await begin?.();
    await settled(page);
    found.push(...(await smallTargets(page)).map((small) => `${what}: ${small}`));
    await assertNoSidewaysScroll(page, what);
  }
  assert.deepEqual(found, [], 'too small for a finger');
  await page.done();
});

test('text of twice its size keeps its lines apart on every page', async () => {
  const page = await openPage(browser, demo.url, { viewport: PHONE, touch: true, reducedMotion: 'reduce' });
  await live(page);
  const found = [];
  for (const path of ['', 'glance', 'alerts', `alerts/${await anAlert()}`, 'risks', `nodes/${encodeURIComponent(worst)}`, 'timeline',
    'rules', 'notifications', 'people', 'shares', 'shares?new=fleet', 'status', 'embed', 'more']) {
    await page.goto(`${demo.url}/${path}`);
    await page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
    await settled(page);
    found.push(...await page.evaluate((path) => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const close = new Set();
      while (texts.nextNode()) {
        const { parentElement: box, data } = texts.currentNode;
        const { lineHeight, fontSize } = getComputedStyle(box);
        if (box.closest('.sr-only') || !data.trim() || !box.checkVisibility()) continue;
        if (parseFloat(lineHeight) < 0.95 * parseFloat(fontSize)) {
          close.add(`${path}: ${box.tagName}.${box.className?.baseVal ?? box.className}, ${lineHeight} for letters of ${fontSize}`);
        }
      }
      return [...close];
    }, path));
  }
  assert.deepEqual(found, [], 'its lines overlap');
  // And as it is, text has the sizes of the tokens: a rem is what the reader has chosen.
  await page.goto(demo.url);
  await live(page);
  assert.deepEqual(await page.evaluate(() => ['html', 'body', '.rail-label'].map((one) => getComputedStyle(document.querySelector(one)).fontSize)), ['16px', '14px', '12px']);
  await page.done();
});

test('a finger finds its targets on every page of a share link', async () => {
  const { path } = await everyView();
  const page = await openPage(browser, `${demo.url}${path}`, { viewport: PHONE, touch: true, reducedMotion: 'reduce' });
  await live(page);
  const found = [];
  for (const [what, at, begin] of [
    ['the fleet', ''],
    ['the glance', 'glance'],
    ['a node', `nodes/${encodeURIComponent(worst)}`, () => eventually('charts are there', async () => await page.locator('.chart').count() > 0)],
    ['the risks', 'risks'],
    ['a risk', 'risks', () => page.locator('.risk-name').first().click()],
    ['the alerts', 'alerts'],
    ['an alert', 'alerts', () => eventually('an alert is opened', async () => {
      for (const tab of ['Firing', 'Pending']) {
        await page.getByRole('button', { name: new RegExp(`^${tab}`) }).click();
        if (!await page.locator('a.alert-name').count()) continue;
        await page.locator('a.alert-name').first().click();
        return true;
      }
      return false;
    })],
  ]) {
    await page.goto(`${demo.url}${path}${at}`);
    await settled(page);
    await begin?.();
    await settled(page);
    found.push(...(await smallTargets(page)).map((small) => `${what}: ${small}`));
    await assertNoSidewaysScroll(page, `${what} through a link`);
  }
  assert.deepEqual(found, [], 'too small for a finger');
  await page.done();
});

for (const theme of ['light', 'dark']) {
  for (const [name, viewport] of [['a desktop', DESKTOP], ['a phone', PHONE]]) {
    test(`axe finds nothing serious on ${name}, ${theme}`, async () => {
      const options = { viewport, theme, touch: viewport === PHONE, reducedMotion: 'reduce' };
      const page = await openPage(browser, demo.url, options);
      await live(page);
      await rows(page).first().waitFor();
      const background = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const light = background.match(/[\d.]+/g).slice(0, 3).map(Number);
      assert.equal(light.reduce((sum, part) => sum + part, 0) > 382, theme === 'light', `${background} is ${theme}`);
      await assertAccessible(page, `fleet page, ${name}, ${theme}`);
      await page.getByRole('button', { name: 'Heat grid' }).click();
      await tiles(page).first().waitFor();
      await assertAccessible(page, `heat grid, ${name}, ${theme}`);
      await page.done();

      const node = await nodePage(options);
      await node.locator('.chart').first().scrollIntoViewIfNeeded();
      await eventually('a chart is drawn', async () => (await coloursOf(node.locator('.chart canvas').first())) > 3);
      await assertAccessible(node, `node page, ${name}, ${theme}`);
      await node.done();
    });
  }
}

test('the theme can be chosen and is kept', async () => {
  const page = await openPage(browser, demo.url, { theme: 'light' });
  await live(page);
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  const button = page.getByRole('button', { name: /theme|dark|light/i }).first();
  await eventually('a press makes it dark', async () => {
    await button.click();
    return (await background()) !== light;
  });
  const dark = await background();
  await page.reload();
  await live(page);
  assert.equal(await background(), dark);
  await page.done();
});
