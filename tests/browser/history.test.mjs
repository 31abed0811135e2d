// Time on a node's page: the range in the address, zooming, what happened as lanes and as a list, uptime figures.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  NARROW,
  PHONE,
  assertAccessible,
  assertNoSidewaysScroll,
  coloursOf,
  eventually,
  fleetOf,
  live,
  openBrowser,
  openPage,
  startDemo,
  startNode,
  startServe,
} from './harness.mjs';

const HOUR = 3_600_000;

let browser;
let demo;
let address;

before(async () => {
  [browser, demo] = await Promise.all([openBrowser(), startDemo({ nodes: 6, faults: 'none' })]);
  const { nodes } = await fleetOf(demo.url);
  address = `${demo.url}/nodes/${encodeURIComponent(nodes[0].id)}`;
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const rangeBar = (page) => page.getByRole('group', { name: 'Time range', exact: true });
const choice = (page, name) => rangeBar(page).getByRole('button', { name, exact: true });
const stepBack = (page) => rangeBar(page).getByRole('button', { name: /^Step back/ });
const pressed = async (button) => (await button.getAttribute('aria-pressed')) === 'true';

/** What the address says of the range. */
function shownRange(page) {
  const { searchParams } = new URL(page.url());
  const [from, to] = ['from', 'to'].map((name) => Number(searchParams.get(name)));
  return { range: searchParams.get('range'), from, to, length: to - from };
}

/** The first chart, drawn and in the middle of the screen: its plot, and where that lies. */
async function drawnChart(page) {
  const plot = page.getByRole('img').filter({ has: page.locator('canvas') }).first();
  await page.locator('.chart').first().scrollIntoViewIfNeeded();
  await eventually('a chart is drawn', async () => (await coloursOf(plot.locator('canvas').first())) > 3);
  await plot.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  return { plot, box: await plot.boundingBox() };
}

test('a range stands in the address, and a link shows the same', async () => {
  const page = await openPage(browser, address);
  await eventually('an hour is the default', () => pressed(choice(page, '1 h')));
  await choice(page, '24 h').click();
  await eventually('it is pressed', () => pressed(choice(page, '24 h')));
  assert.equal(new URL(page.url()).search, '?range=24h');
  await stepBack(page).waitFor({ state: 'detached' });
  const copied = await openPage(browser, page.url());
  await eventually('the copy shows the same', () => pressed(choice(copied, '24 h')));
  await copied.done();

  for (const nonsense of ['?range=soon', '?range=1s', '?from=5', '?from=9&to=3', '?from=x&to=y&range=-1h', '?range=%00']) {
    await page.goto(address + nonsense);
    await eventually(`${nonsense} is an hour`, () => pressed(choice(page, '1 h')));
    await drawnChart(page);
  }
  await page.done();
});

test('a range of one\'s own is written in words or as times', async () => {
  const page = await openPage(browser, address);
  const menu = page.getByRole('dialog', { name: 'Time range' });
  const open = rangeBar(page).getByRole('button', { name: /^Time range:/ });
  await open.click();
  await eventually('the keyboard is in the form', () => page.getByLabel('From', { exact: true }).evaluate((field) => field === document.activeElement));
  assert.equal(await page.getByLabel('From', { exact: true }).inputValue(), 'now-1h');
  await page.getByLabel('From', { exact: true }).fill('some day');
  await page.keyboard.press('Enter');
  await menu.getByText('“From” is no time').waitFor();
  await page.getByLabel('From', { exact: true }).fill('now-3h');
  await page.keyboard.press('Enter');
  await menu.waitFor({ state: 'detached' });
  assert.equal(shownRange(page).range, '3h');
  await eventually('it follows the time', () => pressed(choice(page, 'Live')));

  await open.click();
  await page.getByLabel('From', { exact: true }).fill('2026-01-02 10:00');
  await page.getByLabel('To', { exact: true }).fill('2026-01-02 16:30');
  await menu.getByRole('button', { name: 'Show' }).click();
  await menu.waitFor({ state: 'detached' });
  const local = await page.evaluate(() => [new Date(2026, 0, 2, 10).getTime(), new Date(2026, 0, 2, 16, 30).getTime()]);
  assert.deepEqual([shownRange(page).from, shownRange(page).to], local);
  await rangeBar(page).getByText(/2 Jan 10:00 – 16:30|2 Jan 2026 10:00 – 16:30/).first().waitFor();
  assert.equal(await pressed(choice(page, 'Live')), false);

  // Back leads through the ranges, and Escape leaves the menu.
  await page.goBack();
  assert.equal(shownRange(page).range, '3h');
  await open.click();
  await page.keyboard.press('Escape');
  await menu.waitFor({ state: 'detached' });
  await eventually('the focus is back', () => open.evaluate((button) => button === document.activeElement));
  await page.done();
});

test('a drag on a chart zooms, and Back leads out again', async () => {
  const page = await openPage(browser, `${address}?range=6h`);
  const { plot } = await drawnChart(page);
  const drag = async (from, to) => {
    // A drag selects on what is drawn, so the chart must be of the range that was chosen last.
    await eventually('the chart has what was asked for', async () => (await plot.getAttribute('aria-busy')) === 'false');
    const box = await plot.boundingBox();
    await page.mouse.move(box.x + box.width * from, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * ((from + to) / 2), box.y + 130, { steps: 4 });
    await page.mouse.move(box.x + box.width * to, box.y + 90, { steps: 4 });
    await page.mouse.up();
  };
  // Up to the right edge: so young a fleet has values nowhere else.
  await drag(0.995, 0.6);
  await eventually('the address says the span', () => shownRange(page).length > 0);
  const first = shownRange(page);
  assert.ok(first.length > HOUR && first.length < 3 * HOUR, `${first.length / HOUR} h were selected`);
  await eventually('it holds still', async () => !(await pressed(choice(page, 'Live'))));
  await stepBack(page).waitFor();
  await drag(0.5, 0.995);
  await eventually('it zooms further', () => shownRange(page).length < first.length * 0.7);
  await page.goBack();
  assert.deepEqual(shownRange(page), first);
  await stepBack(page).click();
  await eventually('it is where it began', () => shownRange(page).range === '6h');
  await stepBack(page).waitFor({ state: 'detached' });
  await page.goForward();
  assert.deepEqual(shownRange(page), first);
  await stepBack(page).waitFor();
  // A press is no drag.
  const box = await plot.boundingBox();
  await page.mouse.click(box.x + box.width / 2, box.y + 100);
  assert.deepEqual(shownRange(page), first);
  // The node beside it is a page of its own: what was zoomed into is still behind it.
  await page.locator('a[rel="next"], a[rel="prev"]').first().click();
  await eventually('another node is shown', () => new URL(page.url()).search === '');
  assert.equal(await stepBack(page).count(), 0);
  await page.goBack();
  assert.deepEqual(shownRange(page), first);
  await stepBack(page).waitFor();
  await page.done();
});

test('what lies in the past is not asked for again', async () => {
  const now = Date.now();
  const page = await openPage(browser, `${address}?from=${now - 2 * HOUR}&to=${now - HOUR}`);
  await page.locator('.chart').first().scrollIntoViewIfNeeded();
  await page.getByText('No data in this range').first().waitFor();
  const asked = () => page.evaluate(() => performance.getEntriesByType('resource')
    .map((entry) => entry.name).filter((name) => name.includes('/api/v1/chart?')));
  await page.waitForTimeout(8_000);
  const before = await asked();
  assert.ok(before.length > 0);
  assert.deepEqual(before, [...new Set(before)], 'nothing is asked for twice');
  await choice(page, 'Live').click();
  await eventually('as much is shown up to now', () => shownRange(page).range === '1h');
  await eventually('the charts are asked for', async () => (await asked()).length > before.length);
  await page.done();
});

test('the keyboard selects and zooms', async () => {
  const page = await openPage(browser, `${address}?range=15m`);
  const { plot } = await drawnChart(page);
  const said = page.locator('.chart [aria-live]').first();
  await plot.focus();
  await page.keyboard.press('End');
  await eventually('the value is spoken', async () => /\d/.test(await said.innerText()));
  for (let press = 0; press < 20; press += 1) await page.keyboard.press('Shift+ArrowLeft');
  await eventually('the selection is spoken', async () => /selected, Enter shows them alone/.test(await said.innerText()));
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  assert.equal(shownRange(page).range, '15m', 'nothing is selected any more');
  for (let press = 0; press < 20; press += 1) await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Enter');
  await eventually('what was selected is shown', () => shownRange(page).length > 0);
  assert.ok(shownRange(page).length < 15 * 60_000);
  await page.goBack();
  assert.equal(shownRange(page).range, '15m');
  await page.done();
});

test('two fingers zoom, one that moves along reads, and one that moves down scrolls', async () => {
  const page = await openPage(browser, `${address}?range=6h`, { viewport: PHONE, touch: true });
  const { box } = await drawnChart(page);
  const touch = await page.context().newCDPSession(page);
  const send = (type, touchPoints) => touch.send('Input.dispatchTouchEvent', { type, touchPoints });
  const swipe = async ([fromX, fromY], [toX, toY]) => {
    await send('touchStart', [{ x: fromX, y: fromY }]);
    for (let step = 1; step <= 10; step += 1) {
      await send('touchMove', [{ x: fromX + ((toX - fromX) * step) / 10, y: fromY + ((toY - fromY) * step) / 10 }]);
    }
    await send('touchEnd', []);
  };
  const middle = [box.x + box.width / 2, box.y + box.height / 2];
  const top = () => page.locator('.page-body').evaluate((element) => element.scrollTop);
  const before = await top();
  await swipe(middle, [middle[0] + 3, middle[1] - 160]);
  await eventually('the page has scrolled', async () => (await top()) > before + 50);
  assert.equal(shownRange(page).range, '6h');

  const again = await drawnChart(page);
  const y = again.box.y + again.box.height / 2;
  const at = (share) => again.box.x + again.box.width * share;
  await swipe([at(0.3), y], [at(0.7), y + 6]);
  assert.equal(shownRange(page).range, '6h', 'one finger only reads');
  // From a fifth of the width to four fifths: a quarter of the time, around the same middle.
  await send('touchStart', [{ x: at(0.4), y, id: 1 }]);
  await send('touchStart', [{ x: at(0.4), y, id: 1 }, { x: at(0.6), y, id: 2 }]);
  for (let step = 1; step <= 10; step += 1) {
    await send('touchMove', [{ x: at(0.4 - 0.03 * step), y, id: 1 }, { x: at(0.6 + 0.03 * step), y: y + step, id: 2 }]);
  }
  await send('touchEnd', []);
  await eventually('it zooms', () => shownRange(page).length > 0);
  const share = shownRange(page).length / (6 * HOUR);
  assert.ok(share > 0.2 && share < 0.3, `${share} of the time is shown`);
  await page.done();
});

for (const [name, viewport] of [['a phone', PHONE], ['320 px', NARROW]]) {
  test(`a thumb chooses the range on ${name}`, async () => {
    const page = await openPage(browser, address, { viewport, touch: true, reducedMotion: 'reduce' });
    const open = rangeBar(page).getByRole('button', { name: /^Time range:/ });
    await open.scrollIntoViewIfNeeded();
    for (const button of [open, choice(page, 'Live')]) {
      assert.ok((await button.boundingBox()).height >= 44, 'a thumb finds it');
    }
    await open.tap();
    const item = page.getByRole('dialog', { name: 'Time range' }).getByRole('button', { name: 'Last 7 d' });
    assert.ok((await item.boundingBox()).height >= 44);
    await assertNoSidewaysScroll(page, `the range menu on ${name}`);
    await assertAccessible(page, `the range menu on ${name}`);
    await item.tap();
    assert.equal(shownRange(page).range, '7d');
    await eventually('the button says it', async () => (await open.innerText()).includes('7 d'));
    // It stays in sight while the charts go by.
    await page.locator('.chart').last().scrollIntoViewIfNeeded();
    assert.ok((await open.boundingBox()).y >= 0);
    await assertNoSidewaysScroll(page, `the node page on ${name}`);
    await page.done();
  });
}

/** A node that can go down and come back at the same address, and a Fleetglass that asks it. */
async function oneNode() {
  const well = '{"status":"ok","version":"1.0.0","peer_count":41}';
  const node = await startNode({ '/health': well });
  const served = await startServe(`[scrape]\ninterval = "500ms"\ntimeout = "500ms"\n
    [[target]]\nid = "a"\nfamily = "generic"\nurl = "${node.url}"\nlabels = { region = "eu" }\n`);
  return {
    served,
    down: () => { node.pages['/health'] = null; },
    back: (version = '1.0.0') => { node.pages['/health'] = well.replace('1.0.0', version); },
    stop: async () => { await served.stop(); await node.stop(); },
  };
}

test('a node that went down and came back tells so in lanes, list, marks and uptime', async () => {
  const one = await oneNode();
  const page = await openPage(browser, `${one.served.url}/nodes/a?range=15m`);
  const history = page.getByRole('region', { name: 'History' });
  await history.getByText('Nothing happened in this range').or(history.getByText(/not watched for/)).first().waitFor();
  const state = page.getByRole('region', { name: 'State' });
  const uptime = page.locator('.node-strip-uptime');
  await uptime.getByRole('button', { name: /^100 %\s*24 h\s*, never down/ }).waitFor();

  one.down();
  await state.getByText('unreachable', { exact: true }).first().waitFor();
  await page.waitForTimeout(6_000);
  one.back('1.1.0');
  await state.getByText('healthy', { exact: true }).waitFor();

  await history.getByText(/1 outage \(\d+ s down\)/).waitFor();
  const lanes = history.getByRole('img');
  await eventually('the outage is a piece of its own', async () => (await lanes.locator('.piece.state-unreachable').count()) === 1);
  assert.ok(await lanes.locator('.piece.piece-unseen').count(), 'before its start nobody looked');
  const told = async () => /State: .*healthy from .*unreachable from .*healthy from/.test(await lanes.getAttribute('aria-label'));
  await eventually('the lanes tell that it came back', told);
  // The lanes move on under the pointer: from edge to edge until it reads.
  await eventually('the crosshair reads the outage', async () => {
    const box = await lanes.locator('.piece.state-unreachable').boundingBox();
    for (let x = box.x - 2; x <= box.x + box.width + 2; x += 1) {
      await page.mouse.move(x, box.y + box.height / 2);
      if (await history.getByText(/\d\d:\d\d:\d\d · unreachable/).count()) return true;
    }
    return false;
  });
  await page.mouse.move(0, 0);

  // Readers have the table, whoever wants to read has the list.
  await history.getByRole('button', { name: 'List' }).click();
  const table = history.getByRole('table');
  await table.getByRole('row').filter({ hasText: 'unreachable' }).getByText(/No answer/).waitFor();
  await table.getByRole('row').filter({ hasText: '1.1.0' }).first().waitFor();
  const first = await table.getByRole('row').nth(1).innerText();
  assert.match(first, /\d+ \w{3} \d\d:\d\d:\d\d/, 'the newest first, with its time');
  await assertAccessible(page, 'the list of events');
  await history.getByRole('button', { name: 'Lanes' }).click();

  await page.done();
  await one.stop();
});

test('uptime and marks of an open page follow an outage', async () => {
  const one = await oneNode();
  const page = await openPage(browser, `${one.served.url}/nodes/a?range=15m`);
  const state = page.getByRole('region', { name: 'State' });
  const uptime = page.locator('.node-strip-uptime');
  one.down();
  await state.getByText('unreachable', { exact: true }).first().waitFor();
  await page.waitForTimeout(6_000);
  one.back('1.1.0');
  await state.getByText('healthy', { exact: true }).waitFor();

  await eventually('the uptime has suffered', async () => /^\d+\.\d+ %\s*24 h\s*, down .* in 1 outage/.test(await uptime.getByRole('button').first().innerText()), 70_000);
  await uptime.getByRole('button').first().click();
  await uptime.getByRole('status').getByText(/^24 h: down \d+ s in 1 outage/).waitFor();

  // The marks stand in the charts: a metric of any kind has them.
  await page.getByLabel('Search the series of this node').fill('up');
  const series = page.getByRole('region', { name: 'Any metric' });
  await series.getByRole('button', { name: /^up/ }).first().click();
  const plot = series.getByRole('img').first();
  await eventually('it is drawn', async () => (await coloursOf(plot.locator('canvas').first())) > 3);
  await plot.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  const place = await plot.boundingBox();
  await eventually('the crosshair reads a mark', async () => {
    for (let x = place.width - 12; x > place.width * 0.7; x -= 4) {
      await page.mouse.move(place.x + x, place.y + 90);
      if (await page.locator('.chart-tip').count()) return /Unreachable|Healthy|Version|Fleetglass/.test(await page.locator('.chart-tip').innerText());
    }
    return false;
  });
  await page.done();
  await one.stop();
});

test('a group of the fleet has its uptime in its head', async () => {
  const one = await oneNode();
  const page = await openPage(browser, `${one.served.url}/?group=label.region`);
  await live(page);
  const head = page.locator('.nodes-list .group-head', { hasText: 'eu' });
  await head.locator('.group-uptime', { hasText: 'up 100 % in 30 d' }).waitFor();
  const title = await head.locator('.group-uptime [title]').getAttribute('title');
  assert.match(title, /24 h: 100 %, never down.*\n7 d: .*\n30 d: .*\n90 d: /);
  const asked = [];
  page.on('request', (request) => { if (request.url().includes('/uptime')) asked.push(request.url()); });
  await page.getByLabel('Group').selectOption({ label: 'Family' });
  await eventually('the other grouping is asked for, once', () => asked.filter((url) => url.includes('by=family')).length === 1);
  await page.locator('.group-uptime', { hasText: 'up 100 % in 30 d' }).first().waitFor();
  await page.getByLabel('Group').selectOption({ label: 'None' });
  await page.locator('.group-uptime').first().waitFor({ state: 'detached' });
  await page.done();
  await one.stop();
});

test('without history the page says so and goes on', async () => {
  const page = await openPage(browser, 'about:blank', { expected: [/404/] });
  for (const path of ['events', 'uptime']) {
    await page.route(`**/api/v1/${path}?**`, (route) => route.fulfill({ status: 404, body: '{"detail":"nothing is served here"}' }));
  }
  await page.goto(address);
  await page.getByText('This Fleetglass keeps no history of its nodes.').waitFor();
  await page.getByText('not counted by this Fleetglass').waitFor();
  await drawnChart(page);

  const failing = await openPage(browser, 'about:blank', { expected: [/503/] });
  await failing.route('**/api/v1/events?**', (route) => route.fulfill({
    status: 503, contentType: 'application/problem+json', body: '{"status":503,"title":"No","detail":"The state file cannot be read."}',
  }));
  await failing.goto(address);
  await failing.getByText('The history did not come.').waitFor();
  await failing.getByText('The state file cannot be read.').waitFor();
  await failing.unroute('**/api/v1/events?**');
  await Promise.all([page.done(), failing.done()]);
});

for (const theme of ['light', 'dark']) {
  test(`axe finds nothing serious in the history, ${theme}`, async () => {
    const page = await openPage(browser, `${address}?range=24h`, { theme, reducedMotion: 'reduce' });
    await page.getByRole('region', { name: 'History' }).getByRole('img').waitFor();
    await drawnChart(page);
    await assertAccessible(page, `the lanes, ${theme}`);
    await rangeBar(page).getByRole('button', { name: /^Time range:/ }).click();
    await page.getByRole('dialog', { name: 'Time range' }).waitFor();
    await assertAccessible(page, `the range menu, ${theme}`);
    await page.done();
  });
}
