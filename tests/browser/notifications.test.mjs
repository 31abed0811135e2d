// Notifications: who is told, a test of a receiver, what was tried, and the page that a link in a message opens.

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

const RULES = 'groups: [{name: g, rules: [{alert: Lag, expr: lag_seconds > 5, labels: {severity: P1}}]}]\n';

let browser;
let node;
let served;
let calm;

before(async () => {
  node = await startNode({
    '/health': '{"status":"ok"}',
    '/metrics': { type: 'text/plain', body: 'lag_seconds 12\n' },
    '/well': 'ok',
    '/ill': { status: 500, type: 'text/plain', body: 'out of order' },
  });
  const scrape = '[scrape]\ninterval = "500ms"\ntimeout = "500ms"\n[rules]\nbuilt_in = false\nevaluation_interval = "500ms"\n';
  const target = `[[target]]\nid = "eu-1"\nfamily = "generic"\nurl = "${node.url}"\n`;
  const receivers = ['well', 'ill']
    .map((name) => `[[receiver]]\nname = "${name}"\n[[receiver.webhook]]\nurl = "${node.url}/${name}"\n`)
    .join('');
  const routes = '[notify.route]\nreceiver = "well"\ngroup_wait = "0s"\n[[notify.route.routes]]\nreceiver = "well"\ncontinue = true\n[[notify.route.routes]]\nreceiver = "ill"\n';
  [browser, served, calm] = await Promise.all([
    openBrowser(),
    startServe(`${scrape}files = ["rules.yml"]\n${routes}${receivers}${target}`, { files: { 'rules.yml': RULES } }),
    startServe(`${scrape}${target}`),
  ]);
});

after(() => Promise.all([browser?.close(), served?.stop(), calm?.stop(), node?.stop()]));

const way = (page, name) => page.getByRole('region', { name: 'Who is told' }).getByRole('listitem').filter({ hasText: name });

test('each way says how it does, and a test says what came back', async () => {
  const page = await openPage(browser, `${served.url}/alerts`);
  await page.getByRole('button', { name: 'Sound and notification' }).click();
  await page.getByRole('link', { name: /Who else is told/ }).click();
  await page.getByRole('heading', { level: 1, name: 'Notifications' }).waitFor();
  assert.match(await page.title(), /Notifications/);
  await way(page, 'well/webhook/0').getByText('works').waitFor();
  await way(page, 'ill/webhook/0').getByText('fails').waitFor();
  await way(page, 'ill/webhook/0').getByText(/1 message waits/).waitFor();
  await way(page, 'ill/webhook/0').getByText('HTTP 500 Internal Server Error: out of order').first().waitFor();
  await page.getByRole('button', { name: 'Send a test to well' }).click();
  await way(page, 'well/webhook/0').getByText('well/webhook/0 delivered: HTTP 200 OK: ok').waitFor();
  const tried = page.getByRole('region', { name: 'What was tried' }).getByRole('listitem');
  await eventually('attempts are listed', async () => (await tried.count()) >= 2);
  await page.done();
});

for (const [name, viewport] of [['desktop', DESKTOP], ['phone', PHONE], ['narrow', NARROW]]) {
  for (const theme of ['light', 'dark']) {
    test(`the page is for everybody: ${name}, ${theme}`, async () => {
      const page = await openPage(browser, `${served.url}/notifications`, { viewport, theme, touch: viewport !== DESKTOP });
      await way(page, 'well/webhook/0').waitFor();
      await assertAccessible(page, 'notifications');
      await assertNoSidewaysScroll(page, 'notifications');
      await page.done();
    });
  }
}

test('nobody is told: the page says what to do', async () => {
  const page = await openPage(browser, `${calm.url}/notifications`);
  await page.getByText('Nobody is told of alerts').waitFor();
  await page.done();
});
