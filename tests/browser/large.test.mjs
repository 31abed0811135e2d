// Five thousand nodes: the page holds only what is in sight, and every node can be reached.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { counted, eventually, filterBox, live, openBrowser, openPage, row, rows, startNode, startServe, tiles } from './harness.mjs';

const MANY = 5000;
let browser;
let node;
let served;

before(async () => {
  node = await startNode({ '/health': '{"status":"ok","peer_count":5,"version":"1.0.0"}' });
  const address = node.url.replace('http://', '');
  const names = Array.from({ length: MANY }, (_, index) => `node-${String(index).padStart(4, '0')}`);
  const groups = names.map((name, index) => ({
    targets: [address],
    labels: { instance: name, family: 'generic', region: `region-${index % 7}` },
  }));
  const config = '[scrape]\ninterval = "60s"\ntimeout = "10s"\n[[discovery]]\nfile_sd = ["targets.json"]\n';
  [browser, served] = await Promise.all([
    openBrowser(),
    startServe(config, { files: { 'targets.json': JSON.stringify(groups) } }),
  ]);
});

after(async () => {
  await browser?.close();
  await served?.stop();
  await node?.stop();
});

test('the list holds only the rows in sight, and scrolls to the last', async () => {
  const page = await openPage(browser, `${served.url}/?sort=node`);
  await live(page);
  await eventually('all nodes are counted', async () => (await counted(page)).total === MANY);
  const held = async () => (await rows(page).count());
  assert.ok((await held()) > 5, 'rows are shown');
  assert.ok((await held()) < 150, `${await held()} rows are in the page`);
  const grid = page.getByRole('grid', { name: 'Nodes' });
  assert.equal(await grid.getAttribute('aria-rowcount'), String(MANY + 1), 'readers are told of all rows');

  const body = page.locator('.page-body');
  for (const share of [0.25, 0.5, 0.75, 1]) {
    await body.evaluate((element, part) => { element.scrollTop = element.scrollHeight * part; }, share);
    await eventually(`rows are shown at ${share}`, async () => {
      const visible = await rows(page).evaluateAll((all) => all.filter((element) => {
        const { top, bottom } = element.getBoundingClientRect();
        return bottom > 0 && top < innerHeight;
      }).length);
      return visible > 5;
    });
    assert.ok((await held()) < 150, `${await held()} rows are in the page at ${share}`);
  }
  await row(page, `node-${MANY - 1}`).waitFor();
  await page.done();
});

test('the keyboard goes to the end and back', async () => {
  const page = await openPage(browser, `${served.url}/?sort=node`);
  await live(page);
  await rows(page).first().waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.querySelector?.('a.node-link')?.textContent ?? '');
  await page.keyboard.press('j');
  await eventually('the list has the focus', focused);
  await page.keyboard.press('End');
  await eventually('the last node has the focus', async () => (await focused()) === `node-${MANY - 1}`);
  await page.keyboard.press('Home');
  await eventually('the first node has the focus', async () => (await focused()) === 'node-0000');
  await page.done();
});

test('the filter finds one of five thousand', async () => {
  const page = await openPage(browser, served.url);
  await live(page);
  await filterBox(page).fill('node-4321');
  await eventually('one is left', async () => (await counted(page)).shown === 1);
  await row(page, 'node-4321').waitFor();
  await filterBox(page).fill('region:region-3');
  await eventually('a seventh is left', async () => (await counted(page)).shown === 714);
  await page.done();
});

test('the heat grid shows them all as shapes', async () => {
  const page = await openPage(browser, `${served.url}/?layout=grid`);
  await live(page);
  await page.getByRole('button', { name: 'Heat grid' }).click();
  const shown = tiles(page);
  await eventually('tiles are shown', async () => (await shown.count()) > 100);
  assert.ok((await shown.count()) < 2500, `${await shown.count()} tiles are in the page`);
  await page.done();
});
