// The fleet page, as an operator uses it: what is there, what is wrong, what changes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  counted,
  eventually,
  filterBox,
  fleetOf,
  live,
  openBrowser,
  openPage,
  row,
  rows,
  startDemo,
  startNode,
  startServe,
  tiles,
} from './harness.mjs';

let browser;
let demo;

before(async () => {
  [browser, demo] = await Promise.all([openBrowser(), startDemo({ nodes: 60 })]);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

test('the page shows every node of all five families', async () => {
  const page = await openPage(browser, demo.url);
  await live(page);
  const { nodes, families } = await fleetOf(demo.url);
  assert.equal(nodes.length, 60);
  const present = families.filter(({ name }) => nodes.some((node) => node.family === name));
  assert.equal(present.length, 5, `families in the demo: ${present.map(({ name }) => name)}`);

  await eventually('all are counted', async () => (await counted(page)).total === 60);
  for (const family of present) {
    await filterBox(page).fill(`family:${family.name}`);
    const wanted = nodes.filter((node) => node.family === family.name).length;
    await eventually(`${wanted} nodes of ${family.name} are shown`, async () => (await counted(page)).shown === wanted);
    const cells = await rows(page).locator('.cell-family').allInnerTexts();
    assert.ok(cells.length > 0 && cells.every((text) => text === family.title), `${family.title}: ${cells}`);
  }
  await page.done();
});

test('what a node says is on the screen at once, without a reload', async () => {
  const node = await startNode({ '/health': '{"status":"ok","peer_count":1234,"version":"1.2.3"}' });
  const served = await startServe(`[scrape]\ninterval = "500ms"\ntimeout = "500ms"\n
    [[target]]\nid = "a"\nfamily = "generic"\nurl = "${node.url}"\nlabels = { region = "eu" }\n`);
  const page = await openPage(browser, served.url);
  await live(page);
  await row(page, 'a').getByText('healthy').waitFor();
  await row(page, 'a').getByText('1.2.3').waitFor();
  const loads = [];
  page.on('framenavigated', (frame) => loads.push(frame.url()));

  node.pages['/health'] = '{"status":"degraded","peer_count":2,"version":"1.2.4"}';
  await row(page, 'a').getByText('degraded', { exact: true }).waitFor();
  await row(page, 'a').getByText('1.2.4').waitFor();
  await eventually('the peers follow', async () => (await row(page, 'a').locator('.cell-peers').innerText()).startsWith('2'));
  await page.getByRole('heading', { name: '1 node needs you' }).waitFor();

  node.pages['/health'] = '{"status":"ok","peer_count":3,"version":"1.2.4"}';
  await page.getByText('All 1 nodes are well.').or(page.getByText('The one node is well.')).waitFor();
  assert.deepEqual(loads, []);
  await page.done();
  await served.stop();
  await node.stop();
});

test('the filter narrows by family, state, label and text, and says when nothing fits', async () => {
  const page = await openPage(browser, demo.url);
  await live(page);
  const { nodes } = await fleetOf(demo.url);
  const [{ id, family, labels }] = nodes;
  const box = filterBox(page);

  for (const [text, fits] of [
    [`family:${family}`, (node) => node.family === family],
    [`-family:${family}`, (node) => node.family !== family],
    [`region:${labels.region}`, (node) => node.labels.region === labels.region],
    [`family:${family} region:${labels.region}`, (node) => node.family === family && node.labels.region === labels.region],
  ]) {
    await box.fill(text);
    await eventually(`${text} is applied`, async () => (await counted(page)).shown === nodes.filter(fits).length);
  }

  await box.fill('state:healthy');
  await eventually('only healthy nodes are shown', async () => {
    const words = await rows(page).locator('.status-word').allInnerTexts();
    return words.length > 0 && words.every((word) => word === 'healthy');
  });

  await box.fill(`node:"${id}"`);
  await eventually('one node is left', async () => (await counted(page)).shown === 1);
  await row(page, id).waitFor();
  await eventually('the address holds the filter', () => decodeURIComponent(page.url()).includes(id));

  await box.fill('no such node anywhere');
  await page.getByText('No node matches the filter').waitFor();
  await page.getByRole('button', { name: 'Show all nodes' }).click();
  await eventually('all are back', async () => (await counted(page)).shown === 60);
  assert.equal(await box.inputValue(), '');
  await page.done();
});

test('a link with a filter shows the same to another person', async () => {
  const { nodes } = await fleetOf(demo.url);
  const { family } = nodes[0];
  const page = await openPage(browser, `${demo.url}/?q=${encodeURIComponent(`family:${family}`)}`);
  await live(page);
  const first = await openPage(browser, demo.url);
  await live(first);
  await filterBox(first).fill(`family:${family}`);
  await eventually('the address holds the filter', () => first.url() !== `${demo.url}/`);
  await page.goto(first.url());
  await live(page);
  assert.equal(await filterBox(page).inputValue(), `family:${family}`);
  assert.equal((await counted(page)).shown, nodes.filter((node) => node.family === family).length);
  await first.done();
  await page.done();
});

test('a press on a count filters, a second one takes it back', async () => {
  const page = await openPage(browser, demo.url);
  await live(page);
  const glance = page.getByRole('region', { name: 'The fleet at a glance' });
  const healthy = glance.getByRole('button', { name: /healthy$/ }).filter({ hasNotText: 'un' });
  await healthy.click();
  assert.match(await filterBox(page).inputValue(), /state:healthy/);
  assert.equal(await healthy.getAttribute('aria-pressed'), 'true');
  await healthy.click();
  assert.equal(await filterBox(page).inputValue(), '');
  await page.done();
});

test('the same nodes as a table and as a heat grid', async () => {
  const page = await openPage(browser, demo.url);
  await live(page);
  await page.getByRole('button', { name: 'Heat grid' }).click();
  const shown = tiles(page);
  await eventually('tiles are shown', async () => (await shown.count()) > 5);
  const label = await shown.first().getAttribute('aria-label');
  assert.match(label, /, (healthy|degraded|unhealthy|unreachable|unknown)/, 'a tile says its state in words');
  await page.getByRole('button', { name: 'Table' }).click();
  await rows(page).first().waitFor();
  await page.done();
});

test('nodes sort by a column and group by a label', async () => {
  const page = await openPage(browser, demo.url);
  await live(page);
  const { nodes } = await fleetOf(demo.url);
  const ids = nodes.map(({ id }) => id).sort();
  const grid = page.getByRole('grid', { name: 'Nodes' });
  // As the eye reads them: the elements themselves stand in any order.
  const first = () => rows(page).evaluateAll((all) =>
    all.map((element) => [element.getBoundingClientRect().top, element.querySelector('a').textContent])
      .sort(([a], [b]) => a - b)[0][1]);

  await grid.getByRole('columnheader', { name: 'Node', exact: true }).getByRole('button').click();
  await page.mouse.move(0, 0);
  await eventually('the first id is on top', async () => (await first()) === ids[0]);
  await grid.getByRole('columnheader', { name: 'Node', exact: true }).getByRole('button').click();
  await page.mouse.move(0, 0);
  await eventually('the last id is on top', async () => (await first()) === ids.at(-1));
  assert.equal(await grid.getByRole('columnheader', { name: 'Node', exact: true }).getAttribute('aria-sort'), 'descending');

  await page.getByLabel('Group').selectOption({ label: 'region' });
  const regions = [...new Set(nodes.map(({ labels }) => labels.region))].sort();
  await eventually('a head stands over a region', async () => {
    const heads = await page.locator('.nodes-list .group-title').allInnerTexts();
    return heads.length > 0 && heads.every((head) => regions.includes(head));
  });
  await page.getByLabel('Sort').selectOption({ label: 'Peers' });
  await eventually('the address holds both', () => /group=/.test(page.url()) && /sort=peers/.test(page.url()));
  await page.done();
});

test('by keyboard alone: from the filter to a node and back', async () => {
  const page = await openPage(browser, demo.url);
  await live(page);
  const { nodes } = await fleetOf(demo.url);
  const { family } = nodes[0];

  await page.keyboard.press('/');
  await page.keyboard.type(`family:${family}`);
  await eventually('the filter is applied', async () => (await counted(page)).shown < 60);
  // Esc closes the suggestions, clears and leaves, one step a press: three are always enough.
  const inBox = () => filterBox(page).evaluate((box) => box === document.activeElement);
  for (let presses = 0; presses < 3 && (await inBox()); presses += 1) {
    await page.keyboard.press('Escape');
    await page.waitForTimeout(150);
  }
  assert.equal(await filterBox(page).inputValue(), '', 'the filter is cleared');
  assert.equal(await inBox(), false, 'the field is left');

  await page.keyboard.press('j');
  const focused = () => page.evaluate(() => document.activeElement?.querySelector?.('a.node-link')?.textContent ?? '');
  const first = await eventually('a row has the focus', focused);
  await page.keyboard.press('ArrowDown');
  const second = await eventually('the next row has the focus', async () => {
    const now = await focused();
    return now && now !== first && now;
  });
  await page.keyboard.press('ArrowUp');
  await eventually('back on the first', async () => (await focused()) === first);
  await page.keyboard.press('ArrowDown');
  await eventually('and down again', async () => (await focused()) === second);
  await page.keyboard.press('Enter');
  await page.waitForURL(`${demo.url}/nodes/${encodeURIComponent(second)}`);
  await page.getByRole('heading', { level: 1, name: second }).waitFor();
  await page.goBack();
  await rows(page).first().waitFor();
  await page.done();
});

test('a fleet without nodes says how to name the first', async () => {
  const served = await startServe('', { ready: false });
  const page = await openPage(browser, served.url);
  await page.getByText('No node yet').waitFor();
  await page.getByText('[[target]]').waitFor();
  await page.done();
  await served.stop();
});

test('facts that are no longer true are dimmed and show their age', async () => {
  const node = await startNode({ '/health': '{"status":"ok","peer_count":5}' });
  const served = await startServe(`[scrape]\ninterval = "500ms"\ntimeout = "500ms"\n
    [[target]]\nid = "a"\nfamily = "generic"\nurl = "${node.url}"\n`);
  const page = await openPage(browser, served.url);
  await live(page);
  await row(page, 'a').getByText('healthy').waitFor();
  assert.doesNotMatch(await row(page, 'a').getAttribute('class'), /row-old/);
  const ink = (selector) => row(page, 'a').locator(selector).evaluate((cell) => {
    let opacity = 1;
    for (let element = cell; element; element = element.parentElement) opacity *= Number(getComputedStyle(element).opacity);
    return `${getComputedStyle(cell).color} at ${opacity}`;
  });
  const fresh = await ink('.cell-peers');

  await node.stop();
  await row(page, 'a').getByText('unreachable').waitFor();
  await eventually('the old facts are dimmed', async () => (await ink('.cell-peers')) !== fresh);
  await eventually('the age grows', async () => /^[3-9] ?s|\d\d ?s/.test(await row(page, 'a').locator('.cell-age').innerText()));
  await page.done();
  await served.stop();
});

test('the first page asks for no part of the app that only a node needs', async () => {
  const page = await openPage(browser, 'about:blank');
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(demo.url);
  await live(page);
  await rows(page).first().waitFor();
  const rest = () => asked.filter((path) => path.endsWith('_rest.wasm'));
  assert.deepEqual(rest(), [], 'the rest waits');

  // It filters at once; what it offers comes with the rest.
  await filterBox(page).fill('state:');
  await page.getByRole('listbox', { name: 'Suggestions' }).waitFor();
  await filterBox(page).fill('');
  await rows(page).first().getByRole('link').click();
  await page.getByRole('region', { name: 'What it says' }).waitFor();
  await page.goBack();
  await rows(page).nth(3).getByRole('link').click();
  await page.getByRole('region', { name: 'What it says' }).waitFor();
  assert.equal(rest().length, 1, 'the rest comes once');
  await page.done();
});

test('a part of the app that does not come can be asked for again', async () => {
  const page = await openPage(browser, 'about:blank', { expected: [/rest\.wasm|Failed to load|net::ERR/] });
  await page.route('**/*_rest.wasm', (route) => route.abort());
  await page.goto(demo.url);
  await live(page);
  // Without it a filter filters, and offers nothing.
  await rows(page).first().waitFor();
  await filterBox(page).fill('no such node');
  await eventually('it filters', async () => (await rows(page).count()) === 0);
  await filterBox(page).fill('');
  await rows(page).first().waitFor();
  await rows(page).first().getByRole('link').click();
  await page.getByText('This page could not be loaded').waitFor();
  await page.unroute('**/*_rest.wasm');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('region', { name: 'What it says' }).waitFor();
  await page.done();
});
