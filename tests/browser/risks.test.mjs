// Slash risks: the worst first, a countdown that ticks, the course of one, and the same where its node is shown.

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
  live,
  openBrowser,
  openPage,
  row,
  startDemo,
  startNode,
  startServe,
} from './harness.mjs';

// Its blacklist lag climbs past 300 s and then past 600 s: for more than a minute one of both is on its way.
const LATE = 'decdn-03:blacklist-lag@0s+240s';

let browser;
let demo;
let node;
let plain;
let late;

before(async () => {
  node = await startNode({ '/health': '{"status":"ok"}' });
  [browser, demo, plain] = await Promise.all([
    openBrowser(),
    startDemo({ nodes: 24, faults: LATE, interval: '1s' }),
    startServe(`[scrape]\ninterval = "1s"\ntimeout = "1s"\n[[target]]\nid = "a"\nfamily = "generic"\nurl = "${node.url}"\n`),
  ]);
  late = (await eventually('a risk is on its way to its bound', async () => {
    const { risks } = await risksOf();
    return risks.find(({ node, risk }) => /^decdn-\w+-03$/.test(node) && risk.outlook?.breach_at);
  }, 120_000)).node;
});

after(async () => {
  await browser?.close();
  await demo?.stop();
  await plain?.stop();
  await node?.stop();
});

const risksOf = async (query = '') => (await fetch(`${demo.url}/api/v1/risks?limit=1000${query}`)).json();
const lines = (page) => page.locator('.risks-shown .risk-row');
const choice = (page, name) => page.getByRole('group', { name: 'Which risks' }).getByRole('button', { name: new RegExp(`^${name}`) });
const approaching = (page) => lines(page).filter({ has: page.locator('.risk-state', { hasText: 'approaching' }) });

/** `4 min 12 s` as seconds. */
function seconds(words) {
  const [, minutes, rest] = words.match(/(?:(\d+) min)? ?(?:(\d+) s)?/);
  return Number(minutes ?? 0) * 60 + Number(rest ?? 0);
}

test('the worst stands first, and its countdown ticks', async () => {
  const page = await openPage(browser, demo.url);
  await live(page);
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Risks' }).click();
  await page.getByRole('heading', { level: 1, name: 'Risks' }).waitFor();
  const first = approaching(page).first();
  await first.getByRole('link', { name: late }).waitFor();
  await first.getByText(/^Do: /).waitFor();
  const timer = first.getByRole('timer');
  assert.equal(await timer.getAttribute('aria-live'), 'off', 'readers are not told each second');
  const left = async () => seconds(await timer.textContent());
  const begin = await left();
  assert.ok(begin > 0, await timer.textContent());
  await eventually('it ticks', async () => (await left()) < begin);
  // What is only noted stands behind what is on its way, even over its bound.
  const order = await lines(page).filter({ hasNot: page.locator('.risk-severity', { hasText: 'info' }) }).locator('.risk-state').allInnerTexts();
  const ranks = order.map((word) => ['over the bound', 'approaching', 'near', 'not exposed'].findIndex((known) => word.startsWith(known)));
  assert.deepEqual(ranks, ranks.toSorted((a, b) => a - b), `${order}`);
  await page.getByText(/quiet risks?: /).waitFor();
  await page.done();
});

test('a line unfolds by keyboard: what to do, and its slope on to the bound', async () => {
  const page = await openPage(browser, `${demo.url}/risks?show=approaching`);
  await approaching(page).first().waitFor();
  await page.keyboard.press('j');
  await eventually('the first line has the focus', () => page.evaluate(() => document.activeElement?.className === 'risk-name'));
  await page.keyboard.press('Enter');
  const open = page.locator('.risk-row.risk-open').first();
  assert.equal(await open.locator('.risk-name').getAttribute('aria-expanded'), 'true');
  await open.getByRole('heading', { name: 'What to do' }).waitFor();
  await open.getByText(/it rises by .* by its values of the last/).waitFor();
  const chart = open.getByRole('img', { name: /measured last .*slope, if this goes on/ });
  await chart.waitFor();
  // Lines, band, bound and their mixed edges.
  await eventually('it is drawn', async () => (await coloursOf(open.locator('.chart canvas').first())) > 20);
  await open.locator('.risk-query code', { hasText: 'blacklist_sync_lag' }).waitFor();
  // What is at stake says how it was worked out, on a press.
  const stake = open.locator('.risk-told details.stake');
  assert.equal(await stake.locator('li').first().isVisible(), false);
  await stake.locator('summary').click();
  await stake.locator('li').first().waitFor();
  await open.locator('.risk-name').focus();
  await page.keyboard.press('Enter');
  await eventually('it folds', async () => (await page.locator('.risk-open').count()) === 0);
  await page.done();
});

test('what is shown stands in the address', async () => {
  const page = await openPage(browser, `${demo.url}/risks`);
  await approaching(page).first().waitFor();
  await choice(page, 'Approaching').click();
  await page.getByLabel('Family', { exact: true }).selectOption('decdn');
  await page.getByLabel(/^Filter risks/).fill('blacklist');
  await eventually('the address says it', () => {
    const { searchParams } = new URL(page.url());
    return searchParams.get('show') === 'approaching' && searchParams.get('family') === 'decdn' && searchParams.get('q') === 'blacklist';
  });
  await approaching(page).first().waitFor();
  assert.equal(await lines(page).count(), await approaching(page).count(), 'nothing else is left');
  const copied = await openPage(browser, page.url());
  await approaching(copied).first().getByRole('link', { name: late }).waitFor();
  assert.equal(await copied.getByLabel('Family', { exact: true }).inputValue(), 'decdn');
  await copied.done();
  await page.getByLabel(/^Filter risks/).fill('no such risk');
  await page.getByText('No risk matches').waitFor();
  await page.getByRole('button', { name: 'Show all risks' }).click();
  await lines(page).first().waitFor();
  await page.goto(`${demo.url}/risks?node=${late}`);
  await page.getByRole('button', { name: `Show all, not only ${late}` }).waitFor();
  const nodes = await lines(page).locator('.risk-node').allInnerTexts();
  assert.ok(nodes.length > 3 && nodes.every((name) => name === late), `${nodes}`);
  await page.done();
});

test('the time left stands wherever its node is shown', async () => {
  const page = await openPage(browser, demo.url);
  await live(page);
  await page.getByRole('region', { name: /needs? you/ }).getByRole('link', { name: new RegExp(late) }).waitFor();
  await row(page, late).getByText(/breach in \d|s of \d+ min/).first().waitFor();
  await page.goto(`${demo.url}/nodes/${late}`);
  const risks = page.getByRole('region', { name: 'Slash risks' });
  await risks.getByText(/breach in \d.* left/).first().waitFor();
  const first = risks.locator('.node-risk', { hasText: 'breach in' }).first();
  await first.locator('.node-risk-head').click();
  await first.getByRole('link', { name: 'Show where it is going' }).click();
  await page.getByRole('heading', { level: 1, name: 'Risks' }).waitFor();
  await page.getByRole('heading', { name: 'What to do' }).waitFor();
  await page.done();
});

for (const theme of ['light', 'dark']) {
  for (const [name, viewport] of [['a desktop', DESKTOP], ['a phone', PHONE]]) {
    test(`axe finds nothing serious on ${name}, ${theme}, and nothing scrolls sideways`, async () => {
      const options = { viewport, theme, touch: viewport !== DESKTOP, reducedMotion: 'reduce' };
      const page = await openPage(browser, `${demo.url}/risks`, options);
      await live(page);
      const first = lines(page).first();
      await first.waitFor();
      if (viewport !== DESKTOP) {
        const { y, height } = await first.boundingBox();
        assert.ok(y + Math.min(height, 120) < viewport.height, 'the worst is in sight');
        const small = await page.evaluate(() => [...document.querySelectorAll('main button:not(.risk-name), .rail a, .risk-face')]
          .map((element) => [element.getAttribute('aria-label') ?? element.textContent, element.getBoundingClientRect()])
          .filter(([, box]) => box.height > 0 && box.height < 44).map(([words, box]) => `${words}: ${box.height}`));
        assert.deepEqual(small.filter((words) => !/theme/i.test(words)), [], 'a finger finds them');
      }
      await first.locator('.risk-name').click();
      await page.locator('.risk-detail .chart canvas, .risk-few').first().waitFor();
      await assertAccessible(page, 'the risks, one of them unfolded');
      await assertNoSidewaysScroll(page, 'the risks');
      await page.done();
    });
  }
}

test('320 px are enough', async () => {
  const page = await openPage(browser, `${demo.url}/risks?node=${late}`, { viewport: NARROW, touch: true });
  await lines(page).first().locator('.risk-name').click();
  await page.locator('.risk-detail .chart canvas, .risk-few').first().waitFor();
  await assertNoSidewaysScroll(page, 'the risks of a node');
  await page.done();
});

test('where no family names a risk it says so, and nothing is called safe', async () => {
  const page = await openPage(browser, `${plain.url}/risks`);
  await page.getByText('No family of yours names a risk').waitFor();
  await page.done();
  const blind = await openPage(browser, `${demo.url}/risks?show=not-exposed`);
  await lines(blind).first().locator('.risk-state', { hasText: 'not exposed' }).waitFor();
  await lines(blind).first().getByText('cannot be told').waitFor();
  await blind.done();
});
