// Incidents: alerts of one cause are one card with its evidence, and the rest stands by itself.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  DESKTOP,
  NARROW,
  PHONE,
  assertAccessible,
  assertNoSidewaysScroll,
  eventually,
  openBrowser,
  openPage,
  startNode,
  startServe,
} from './harness.mjs';

const RULES = `groups:
  - name: story
    interval: 500ms
    rules:
      - alert: Lag
        expr: lag_seconds > 5
        labels: { severity: P1 }
        annotations: { summary: "The node lags behind" }
`;

let browser;
let served;
const nodes = [];

const metrics = (lag) => ({ type: 'text/plain', body: `lag_seconds ${lag}\n` });

before(async () => {
  let config = '[scrape]\ninterval = "500ms"\ntimeout = "500ms"\n[rules]\nfiles = ["rules.yml"]\nbuilt_in = false\n';
  for (const [id, host] of [...Array(7).keys()].map((index) => [`a-${index}`, 'rack-7']).concat(['b-0', 'b-1', 'b-2', 'b-3'].map((id) => [id, 'rack-8']))) {
    const node = await startNode({ '/health': '{"status":"ok"}', '/metrics': metrics(1) });
    nodes.push(node);
    config += `[[target]]\nid = "${id}"\nfamily = "generic"\nurl = "${node.url}"\nlabels = { host = "${host}" }\n`;
  }
  [browser, served] = await Promise.all([openBrowser(), startServe(config, { files: { 'rules.yml': RULES } })]);
  // All of one host, and one of the other.
  for (const node of nodes.slice(0, 8)) node.pages['/metrics'] = metrics(9);
  await eventually('the host is blamed', async () => {
    const { incidents } = await (await fetch(`${served.url}/api/v1/incidents`)).json();
    return incidents.some(({ cause, alerts }) => cause === 'host' && alerts.length === 7);
  });
});

after(async () => {
  await browser?.close();
  await served?.stop();
  for (const node of nodes) await node.stop();
});

const card = (page) => page.getByRole('region', { name: 'Lag on host rack-7' });
const inside = (page) => page.getByRole('list', { name: 'Alerts of: Lag on host rack-7' }).getByRole('listitem');
const alone = (page) => page.getByRole('list', { name: 'Alerts', exact: true }).getByRole('listitem');

test('alerts of one cause are one incident with its evidence, and open on demand', async () => {
  const page = await openPage(browser, `${served.url}/alerts`);
  await card(page).getByRole('heading', { level: 2 }).waitFor();
  await card(page).getByText(/^7 alerts on 7 nodes, for /).waitFor();
  await card(page).getByText(/started with/).getByRole('link', { name: /^a-\d$/ }).waitFor();
  const evidence = card(page).getByRole('list', { name: 'Evidence' });
  await evidence.getByText(/^7 of 7 nodes on host rack-7 got Lag /).waitFor();
  await evidence.getByText('1 of 4 nodes elsewhere did.').waitFor();
  await eventually('the other stands by itself', async () => (await alone(page).count()) === 1);
  await alone(page).getByRole('link', { name: 'b-0' }).waitFor();
  assert.equal(await inside(page).count(), 0, 'many alerts are closed at first');

  const press = card(page).getByRole('button', { name: /^Show 7 alerts/ });
  assert.equal(await press.getAttribute('aria-expanded'), 'false');
  await press.click();
  await eventually('all are shown', async () => (await inside(page).count()) === 7);
  await card(page).getByRole('button', { name: /^Hide alerts/ }).click();
  await eventually('none is shown', async () => (await inside(page).count()) === 0);

  await page.getByLabel(/^Filter alerts/).fill('a-3');
  await eventually('what is sought is in sight', async () => (await inside(page).count()) === 1);
  await page.getByLabel(/^Filter alerts/).fill('');
  await page.getByLabel('Group').selectOption('none');
  await eventually('one by one', async () => (await alone(page).count()) === 8);
  await eventually('the address says it', () => new URL(page.url()).searchParams.get('group') === 'none');
  await page.goto(`${served.url}/alerts?group=cause`);
  await card(page).waitFor();
  await page.done();
});

for (const [name, viewport, theme] of [['a desktop', DESKTOP, 'light'], ['a phone', PHONE, 'dark'], ['320 px', NARROW, 'light']]) {
  test(`an incident is for everyone on ${name}`, async () => {
    const page = await openPage(browser, `${served.url}/alerts`, { viewport, theme, touch: viewport !== DESKTOP, reducedMotion: 'reduce' });
    await card(page).getByRole('button', { name: /^Show 7 alerts/ }).click();
    await inside(page).first().waitFor();
    if (process.env.FLEETGLASS_PICTURES) await page.screenshot({ path: `${process.env.FLEETGLASS_PICTURES}/incident-${viewport.width}-${theme}.png`, fullPage: true });
    await assertAccessible(page, 'the incident');
    await assertNoSidewaysScroll(page, 'the incident');
    await page.done();
  });
}
