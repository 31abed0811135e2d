// The page of one node: facts, charts, any series, its own words.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { coloursOf, eventually, fleetOf, live, openBrowser, openPage, row, startDemo, startNode, startServe } from './harness.mjs';

let browser;
let demo;

before(async () => {
  [browser, demo] = await Promise.all([openBrowser(), startDemo({ nodes: 10, faults: 'none' })]);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

test('every family has facts, endpoints and charts that are drawn', async () => {
  const { nodes } = await fleetOf(demo.url);
  const families = [...new Set(nodes.map(({ family }) => family))];
  assert.equal(families.length, 5);
  const page = await openPage(browser, demo.url);
  for (const family of families) {
    const { id } = nodes.find((node) => node.family === family);
    await page.goto(`${demo.url}/nodes/${encodeURIComponent(id)}`);
    await page.getByRole('heading', { level: 1, name: id }).waitFor();
    const facts = page.getByRole('region', { name: 'What it says' });
    await eventually(`${id} has facts`, async () => (await facts.locator('dd').count()) > 1);
    const endpoints = page.getByRole('region', { name: 'Endpoints' });
    await eventually(`${id} has endpoints`, async () => (await endpoints.getByRole('row').count()) > 1);
    const verdict = page.getByRole('region', { name: 'Safe to restart?' });
    const word = verdict.getByRole('status').filter({ hasText: /^(Yes|Wait|No|Not known)$/ });
    await eventually(`${id} has a verdict`, async () => (await word.count()) === 1);
    const chart = page.locator('.chart canvas').first();
    // Charts ask for their data when they come near the screen.
    await page.locator('.chart').first().scrollIntoViewIfNeeded();
    await eventually(`${id} has a chart that is drawn`, async () => (await coloursOf(chart)) > 3);
    const title = await page.locator('.chart-title').first().innerText();
    const label = await page.getByRole('img').filter({ has: page.locator('canvas') }).first().getAttribute('aria-label');
    assert.ok(title && label?.length > 8, `the chart of ${id} says nothing to readers: ${label}`);
  }
  await page.done();
});

test('a chart is sharp on a dense screen and follows the width of the window', async () => {
  const { nodes } = await fleetOf(demo.url);
  const page = await openPage(browser, `${demo.url}/nodes/${encodeURIComponent(nodes[0].id)}`, { scale: 2 });
  const chart = page.locator('.chart canvas').first();
  await page.locator('.chart').first().scrollIntoViewIfNeeded();
  const sizes = () => chart.evaluate((canvas) => ({ drawn: canvas.width, shown: canvas.getBoundingClientRect().width }));
  await eventually('it is drawn at twice the pixels', async () => {
    const { drawn, shown } = await sizes();
    return shown > 50 && Math.abs(drawn - 2 * shown) <= 2;
  });
  const before = await sizes();
  await page.setViewportSize({ width: 700, height: 900 });
  await eventually('it is drawn anew for the new width', async () => {
    const { drawn, shown } = await sizes();
    return shown !== before.shown && Math.abs(drawn - 2 * shown) <= 2 && (await coloursOf(chart)) > 3;
  });
  await page.done();
});

test('the crosshair reads values by pointer and by keyboard', async () => {
  const { nodes } = await fleetOf(demo.url);
  const page = await openPage(browser, `${demo.url}/nodes/${encodeURIComponent(nodes[0].id)}`);
  const plot = page.getByRole('img').filter({ has: page.locator('canvas') }).first();
  await page.locator('.chart').first().scrollIntoViewIfNeeded();
  await plot.waitFor();
  const [base, over] = [plot.locator('canvas').first(), plot.locator('canvas').last()];
  await eventually('it is drawn', async () => (await coloursOf(base)) > 3);
  const box = await plot.boundingBox();
  await eventually('the pointer shows a crosshair', async () => {
    await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2);
    await page.mouse.move(box.x + box.width * 0.9, box.y + box.height / 2);
    return (await coloursOf(over)) > 1;
  });
  await page.mouse.move(0, 0);
  await plot.focus();
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  await eventually('the values are spoken', async () => /\d/.test(await page.locator('.chart [aria-live]').first().innerText()));
  await page.done();
});

test('any series is found by its words and charted', async () => {
  const { nodes } = await fleetOf(demo.url);
  const { id } = nodes[0];
  const page = await openPage(browser, `${demo.url}/nodes/${encodeURIComponent(id)}`);
  const part = page.getByRole('region', { name: 'Any metric' });
  await part.scrollIntoViewIfNeeded();
  await part.getByText(/^\d+ series$/).waitFor();
  const search = page.getByLabel('Search the series of this node');
  await search.fill('scrape_duration');
  await part.getByText(/^1 of \d+ series$/).waitFor();
  const found = part.getByRole('button', { name: /^scrape_duration_seconds/ });
  await found.click();
  assert.equal(await found.getAttribute('aria-pressed'), 'true');
  const canvas = part.locator('.chart canvas').first();
  await eventually('its chart is drawn', async () => (await coloursOf(canvas)) > 3);
  await part.getByRole('button', { name: /^Remove the chart of scrape_duration_seconds/ }).click();
  await canvas.waitFor({ state: 'detached' });
  await search.fill('no such series anywhere');
  await part.getByText('No series has all of these words.').waitFor();
  await page.done();
});

test('its own words stand in tabs, which the arrows switch', async () => {
  const node = await startNode({
    '/health': '{"status":"ok","version":"9.9.9","nested":{"big":9007199254740993}}',
    '/metrics': { type: 'text/plain', body: '# HELP x_total How many.\n# TYPE x_total counter\nx_total 18446744073709551617\n' },
  });
  const served = await startServe(`[scrape]\ninterval = "500ms"\ntimeout = "500ms"\n
    [[target]]\nid = "a"\nfamily = "generic"\nurl = "${node.url}"\n`);
  const page = await openPage(browser, `${served.url}/nodes/a`, { expected: [/404/] });
  const panel = page.getByRole('tabpanel');
  await page.getByRole('tab', { name: 'Health' }).scrollIntoViewIfNeeded();
  await panel.getByText('"9.9.9"').waitFor();
  await panel.getByText('9007199254740993').waitFor();
  await page.getByRole('tab', { name: 'Health' }).focus();
  await page.keyboard.press('ArrowRight');
  await panel.getByText('has no endpoint for').waitFor();
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.getByRole('tab', { name: 'Exposition' }).getAttribute('aria-selected'), 'true');
  await panel.getByText('18446744073709551617').waitFor();
  await page.done();
  await served.stop();
  await node.stop();
});

test('big integers are exact on the screen', async () => {
  const node = await startNode({
    '/health': '{"status":"ok","balance":9007199254740993,"wei":1000000000000000000000000001}',
    '/metrics': { type: 'text/plain', body: 'held_tokens 9007199254740993\n' },
  });
  const served = await startServe(`[scrape]\ninterval = "500ms"\ntimeout = "500ms"\n
    [[target]]\nid = "a"\nfamily = "generic"\nurl = "${node.url}"\n`);
  const page = await openPage(browser, `${served.url}/nodes/a`);
  const digits = async (place) => (await place.innerText()).replaceAll(/[^\d]/g, '');
  const facts = page.getByRole('region', { name: 'What it says' });
  const fact = (name) => facts.locator('.fact', { has: page.getByText(name, { exact: true }) }).locator('.fact-value');
  await eventually('the balance is exact', async () => (await digits(fact('balance'))) === '9007199254740993');
  await eventually('the wei are exact', async () => (await digits(fact('wei'))) === '1000000000000000000000000001');
  const value = page.getByRole('button', { name: /held_tokens/ }).locator('.series-value');
  await eventually('the series is exact', async () => {
    // The field is made anew when the series come.
    await page.getByLabel('Search the series of this node').fill('held_tokens');
    return (await value.innerText({ timeout: 5_000 })).replaceAll(/[^\d]/g, '') === '9007199254740993';
  });
  await page.done();
  await served.stop();
  await node.stop();
});

// The press on a row that leads there leaves a listener behind; see everywhere.test.mjs.
test('a node that fails says how, when, and what it last said', async () => {
  const node = await startNode({ '/health': '{"status":"ok","peer_count":41}' });
  const served = await startServe(`[scrape]\ninterval = "500ms"\ntimeout = "500ms"\n
    [[target]]\nid = "a"\nfamily = "generic"\nurl = "${node.url}"\n`);
  const page = await openPage(browser, served.url);
  await live(page);
  await row(page, 'a').getByText('healthy').waitFor();
  await row(page, 'a').click();
  await page.getByRole('heading', { level: 1, name: 'a' }).waitFor();
  await page.getByRole('region', { name: 'State' }).getByText('healthy').waitFor();

  await node.stop();
  const state = page.getByRole('region', { name: 'State' });
  await state.getByText('unreachable', { exact: true }).first().waitFor();
  await state.getByText(/connection refused/).waitFor();
  await page.getByRole('region', { name: 'Last failed scrapes' }).getByText('Connection refused').first().waitFor();
  const peers = page.getByRole('region', { name: 'What it says' }).locator('.fact', { hasText: 'Peers' });
  await peers.locator('.fact-value').filter({ hasText: '41' }).waitFor();
  // Where all that an endpoint said is old, its heading says so once.
  await page.getByRole('region', { name: 'What it says' }).getByText(/^old, said/).first().waitFor();
  await page.done();
  await served.stop();
});

test('a node that does not exist is said not to', async () => {
  const page = await openPage(browser, `${demo.url}/nodes/nobody`, { expected: [/404/] });
  await page.getByText('There is no such node').waitFor();
  await page.getByRole('link', { name: 'Show the fleet' }).click();
  await live(page);
  await page.done();
});
