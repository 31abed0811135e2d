// Many panels in one page over HTTP/1.1, where streams and requests share six connections: all follow, none says more than it knows.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, openBrowser, openPage } from './harness.mjs';
import { startFront } from './front.mjs';
import { framesOf, health, shareFor, startFleet, startPortal } from './portal.mjs';

const MANY = 9;
/** Within this every panel shows what happened. */
const SOON = 30_000;
const SANDBOX = 'sandbox="allow-scripts"';

let browser;
let fleet;
let front;
let portal;

before(async () => {
  [browser, portal, fleet] = await Promise.all([openBrowser(), startPortal(), startFleet()]);
  front = await startFront(fleet.fleetglass.url);
});

after(async () => {
  await browser?.close();
  await front?.stop();
  await fleet?.stop();
  portal?.stop();
});

function say(status) {
  fleet.node.pages['/health'] = health(status);
}

const shared = () => shareFor(portal, fleet.fleetglass, { scope: { select: ['{instance!=""}'], views: ['fleet'] } });

/** A page with a panel of each link, all in view. */
async function visit(links, { more = '', from = fleet.fleetglass.url, without } = {}) {
  portal.html = without ? '' : written(links, from, more);
  const page = await openPage(browser, portal.origin, { viewport: { width: 1440, height: 1000 } });
  if (without) {
    await page.addInitScript(without);
    portal.html = written(links, from, more);
    await page.reload();
  }
  const panels = await eventually('all frames are there', () => {
    const found = framesOf(page);
    return found.length === links.length && found;
  });
  return { page, panels };
}

function written(links, from, more) {
  return links.map(({ token }) => `<iframe title="Panel" width="400" height="280" src="${from}/embed/${token}?view=fleet" ${more}></iframe>`).join('');
}

const states = (panels) => Promise.all(panels.map((one) => one.evaluate(() => document.getElementById('state').textContent)));

/** All show the words in time, and say that they are live while they do. */
async function allShow(panels, words) {
  await eventually(`all show ${words}`, async () => {
    const shown = await Promise.all(panels.map((one) => one.getByText(words).isVisible()));
    return shown.every(Boolean);
  }, SOON);
  await eventually('all say Live', async () => (await states(panels)).every((state) => state === 'Live'), SOON);
}

async function allFollow(panels) {
  await allShow(panels, 'All 2 well');
  say('degraded');
  await allShow(panels, '2 of 2 not well');
  say('ok');
  await allShow(panels, 'All 2 well');
}

test('nine panels in sandboxes follow the fleet with one stream', async () => {
  const link = await shared();
  const { page, panels } = await visit(Array(MANY).fill(link), { more: SANDBOX });
  assert.equal(await panels[8].evaluate(() => self.origin), 'null');
  await allFollow(panels);
  assert.equal(await link.viewers(), 1);
  await page.done();
});

for (const [what, without] of [
  ['', undefined],
  [', without a shared worker', () => { delete self.SharedWorker; }],
  [', without locks either', () => { delete self.SharedWorker; delete Navigator.prototype.locks; }],
]) {
  test(`nine panels of nine links follow the fleet with two streams at most${what}`, async () => {
    const links = await Promise.all(Array.from({ length: MANY }, shared));
    const { page, panels } = await visit(links, { without });
    await allFollow(panels);
    const streams = (await Promise.all(links.map((link) => link.viewers()))).reduce((sum, one) => sum + one, 0);
    assert.ok(streams === 1 || streams === 2, `${streams} streams`);
    await page.done();
  });
}

test('a panel whose requests hang does not say that it is live, though its stream goes on', async () => {
  const link = await shared();
  const { page, panels } = await visit(Array(MANY).fill(link), { more: SANDBOX, from: front.url });
  await allShow(panels, 'All 2 well');
  front.mode = 'silent';
  say('degraded');
  await eventually('none says Live', async () => {
    const said = await states(panels);
    return said.every((state) => state === 'Not live' || state === 'No connection');
  }, SOON);
  front.mode = 'new';
  await eventually('all have caught up', async () => {
    const shown = await Promise.all(panels.map((one) => one.getByText('2 of 2 not well').isVisible()));
    return shown.every(Boolean);
  });
  say('ok');
  await page.done();
});
