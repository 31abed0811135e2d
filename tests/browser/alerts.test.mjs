// Alerts: the banner, the list, one alert, taking and silencing, the rules and their back-test, the timeline.

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
        annotations:
          summary: "The node lags behind"
          description: "It may miss its duty."
          action: "Restart the peer it follows."
      - alert: FewPeers
        expr: peers < 3
        labels: { severity: warning }
        annotations: { summary: "Few peers are left" }
      - alert: Soon
        expr: lag_seconds > 1
        for: 1h
        labels: { severity: info }
      - record: story:lag
        expr: sum(lag_seconds)
      - alert: Broken
        expr: sum(
`;

let browser;
let node;
let served;
let calm;

const metrics = (lag, peers) => ({ type: 'text/plain', body: `lag_seconds ${lag}\npeers ${peers}\n` });

before(async () => {
  node = await startNode({ '/health': '{"status":"ok"}', '/metrics': metrics(12, 1) });
  const target = (id) => `[[target]]\nid = "${id}"\nfamily = "generic"\nurl = "${node.url}"\n`;
  const config = `[scrape]\ninterval = "500ms"\ntimeout = "500ms"\n[rules]\nfiles = ["rules.yml"]\nbuilt_in = false\n`;
  [browser, served, calm] = await Promise.all([
    openBrowser(),
    startServe(config + target('eu-1') + target('eu-2'), { files: { 'rules.yml': RULES } }),
    startServe(`[scrape]\ninterval = "500ms"\ntimeout = "500ms"\n[rules]\nbuilt_in = false\n${target('eu-1')}`),
  ]);
  await eventually('the alerts fire', async () => {
    const { alerts } = await (await fetch(`${served.url}/api/v1/fleet`)).json();
    return alerts.filter(({ state }) => state === 'firing').length === 4;
  });
});

after(async () => {
  await browser?.close();
  await served?.stop();
  await calm?.stop();
  await node?.stop();
});

const items = (page) => page.getByRole('list', { name: 'Alerts' }).getByRole('listitem').filter({ has: page.locator('.alert-name') });
const item = (page, name, on) => items(page).filter({ has: page.getByRole('link', { name, exact: true }) })
  .filter({ has: page.getByRole('link', { name: on, exact: true }) });
const tab = (page, name) => page.getByRole('group', { name: 'Which alerts' }).getByRole('button', { name: new RegExp(`^${name}`) });
const idOf = async (name, on) => {
  const { alerts } = await (await fetch(`${served.url}/api/v1/fleet`)).json();
  return alerts.find((alert) => alert.name === name && alert.node === on).id;
};

test('the open alerts are in sight on every page, on the tab and on its icon', async () => {
  const page = await openPage(browser, served.url);
  await live(page);
  const banner = page.getByRole('region', { name: 'Open alerts' });
  await banner.getByText('critical').first().waitFor();
  await banner.getByText('The node lags behind').waitFor();
  await eventually('the title counts', async () => (await page.title()) === '(4) Fleetglass');
  const icon = () => page.locator('link[rel~=icon]').getAttribute('href');
  await eventually('the icon is marked', async () => /critical/.test(await icon()));
  for (const path of ['/nodes/eu-1', '/rules', '/timeline', '/nowhere']) {
    await page.goto(served.url + path);
    await banner.waitFor();
  }
  await banner.getByRole('link', { name: /show all alerts/ }).click();
  await page.getByRole('heading', { level: 1, name: 'Alerts' }).waitFor();
  await eventually('all are listed', async () => (await items(page).count()) === 4);
  await page.done();

  const quiet = await openPage(browser, calm.url);
  await live(quiet);
  assert.equal(await quiet.getByRole('region', { name: 'Open alerts' }).count(), 0);
  assert.equal(await quiet.title(), 'Fleetglass');
  await quiet.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Alerts' }).click();
  await quiet.getByText('No alert is firing.').waitFor();
  await quiet.done();
});

test('what is shown stands in the address', async () => {
  const page = await openPage(browser, `${served.url}/alerts`);
  await eventually('all are listed', async () => (await items(page).count()) === 4);
  await item(page, 'Lag', 'eu-1').getByText('P1').waitFor();
  await page.getByLabel(/^Filter alerts/).fill('peers eu-2');
  await eventually('one is left', async () => (await items(page).count()) === 1);
  await page.getByLabel('Group').selectOption('node');
  await page.getByRole('heading', { level: 2, name: 'eu-2' }).waitFor();
  await eventually('the address says it', () => {
    const { searchParams } = new URL(page.url());
    return searchParams.get('q') === 'peers eu-2' && searchParams.get('group') === 'node';
  });
  const copied = await openPage(browser, page.url());
  await copied.getByRole('heading', { level: 2, name: 'eu-2' }).waitFor();
  await eventually('the copy shows the same', async () => (await items(copied).count()) === 1);
  await copied.done();
  await page.getByLabel(/^Filter alerts/).fill('');
  await tab(page, 'Pending').click();
  await eventually('what pends is listed', async () => (await items(page).count()) === 2);
  await tab(page, 'History').click();
  await page.getByRole('table').getByText('firing, critical').first().waitFor();
  await page.done();
});

test('a phone hears what pends where it is shown: of the node, and of all on the page of alerts', async () => {
  const page = await openPage(browser, 'about:blank', { viewport: PHONE, touch: true });
  const heard = [];
  await page.addInitScript(() => {
    const pull = ReadableStreamDefaultReader.prototype.read;
    const decoder = new TextDecoder();
    globalThis.heard = '';
    ReadableStreamDefaultReader.prototype.read = async function read(...given) {
      const answer = await pull.apply(this, given);
      if (answer.value) globalThis.heard += decoder.decode(answer.value, { stream: true });
      return answer;
    };
  });
  page.on('request', (request) => { if (request.url().includes('detail=low')) heard.push(new URL(request.url()).searchParams); });
  await page.goto(`${served.url}/`);
  await live(page);
  await eventually('the fleet was heard', () => page.evaluate(() => /"name":"Lag"/.test(globalThis.heard)));
  const first = await page.evaluate(() => globalThis.heard);
  assert.doesNotMatch(first.split('\n\n')[0], /"state":"pending"/, 'a first view needs none that pends');

  await page.getByRole('navigation').getByRole('link', { name: /^Alerts/ }).click();
  await tab(page, 'Pending').click();
  await eventually('what pends is listed', async () => (await items(page).count()) === 2);
  assert.equal(heard.at(-1).get('alerts'), 'all');

  // From one page that shows them to another and back: a stream that is opened meanwhile tells them as well.
  const anew = async (what) => {
    const before = heard.length;
    await page.evaluate(() => dispatchEvent(new Event('fleetglass-refresh')));
    await eventually(`${what} asks anew`, () => heard.length > before);
    assert.equal(heard.at(-1).get('alerts'), 'all', what);
  };
  await page.waitForURL(/show=pending/);
  await items(page).first().getByRole('link').first().click();
  await page.waitForURL(/\/alerts\/\w/);
  await anew('the page of an alert');
  await page.goBack();
  await eventually('what pends is listed again', async () => (await items(page).count()) === 2);
  await anew('the page of alerts');
  await page.getByRole('navigation').getByRole('link', { name: 'Fleet', exact: true }).click();
  await live(page);
  await page.evaluate(() => dispatchEvent(new Event('fleetglass-refresh')));
  await eventually('the fleet needs none', () => heard.at(-1).get('alerts') === null);

  await page.goto(`${served.url}/nodes/eu-1`);
  await page.locator('.node-alert', { hasText: 'Soon' }).waitFor();
  assert.equal(heard.at(-1).get('alerts'), null);
  assert.equal(heard.at(-1).get('nodes'), 'eu-1');
  await page.done();
});

test('a person takes an alert and gives it back, silences one and ends that', async () => {
  const page = await openPage(browser, `${served.url}/alerts`);
  await item(page, 'FewPeers', 'eu-1').getByRole('button', { name: 'Acknowledge FewPeers' }).click();
  const sheet = page.getByRole('dialog', { name: 'Acknowledge' });
  await sheet.getByLabel('Your name').fill('Ada');
  await sheet.getByRole('button', { name: 'Acknowledge' }).click();
  await sheet.waitFor({ state: 'detached' });
  await eventually('it has left the list', async () => (await items(page).count()) === 3);
  await tab(page, 'Acknowledged').click();
  await item(page, 'FewPeers', 'eu-1').getByText('Ada').waitFor();
  await page.getByRole('status').getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Nobody has taken an alert.').waitFor();

  // The name is remembered: two presses are enough.
  await tab(page, 'Firing').click();
  await item(page, 'FewPeers', 'eu-2').getByRole('button', { name: 'Silence FewPeers' }).click();
  await page.getByRole('dialog', { name: 'Silence' }).getByRole('button', { name: 'Silence for 1 h' }).click();
  await eventually('it has left the list', async () => (await items(page).count()) === 3);
  await tab(page, 'Silenced').click();
  await item(page, 'FewPeers', 'eu-2').getByText(/silence ends in 59 min|silence ends in 1 h/).waitFor();
  await page.getByRole('button', { name: 'End this silence now' }).click();
  await page.getByText('No alert is silenced.').waitFor();

  // One that is about to end is warned of.
  await tab(page, 'Firing').click();
  await item(page, 'FewPeers', 'eu-2').getByRole('button', { name: 'Silence FewPeers' }).click();
  const dialog = page.getByRole('dialog', { name: 'Silence' });
  await dialog.getByRole('button', { name: 'Other' }).click();
  await dialog.getByLabel(/^How long/).fill('soon');
  await dialog.getByRole('button', { name: 'Silence', exact: true }).click();
  await dialog.getByText(/30m, 2h or 3d\.$/).waitFor();
  await dialog.getByLabel(/^How long/).fill('10m');
  await dialog.getByRole('button', { name: 'Silence', exact: true }).click();
  await tab(page, 'Silenced').click();
  await page.getByText('ends soon').waitFor();
  await page.getByRole('button', { name: 'End this silence now' }).click();
  await page.getByText('No alert is silenced.').waitFor();
  await page.done();
});

test('one alert says what, why, what to do, and how the others are', async () => {
  const page = await openPage(browser, `${served.url}/alerts/${await idOf('Lag', 'eu-1')}`);
  const state = page.getByRole('region', { name: 'State' });
  await state.getByText('The node lags behind').waitFor();
  await state.getByText(/^firing for/).waitFor();
  await page.getByText('It may miss its duty.').waitFor();
  await page.getByText('Restart the peer it follows.').waitFor();
  await page.getByText(/all 1 other node of its family/).waitFor();
  await page.getByRole('region', { name: "Mine or everyone's?" }).getByRole('link', { name: 'eu-2' }).waitFor();
  await page.getByRole('region', { name: 'Its rule' }).getByText('lag_seconds > 5').waitFor();
  await page.getByRole('region', { name: 'What happened to it' }).getByText('firing, critical').first().waitFor();
  const canvas = page.locator('.chart canvas').first();
  await page.locator('.chart').first().scrollIntoViewIfNeeded();
  await eventually('the value is drawn', async () => (await coloursOf(canvas)) > 3);
  await state.getByRole('link', { name: 'eu-1' }).click();
  const own = page.getByRole('region', { name: 'Alerts of this node' });
  await own.getByRole('link', { name: /Lag/ }).click();
  await state.getByText('The node lags behind').waitFor();
  await page.done();

  const gone = await openPage(browser, `${served.url}/alerts/0000000000000000`, { expected: [/404/] });
  await gone.getByText('There is no such alert any more').waitFor();
  await gone.done();
});

test('the rules say what is wrong with them, and a back-test what they would have done', async () => {
  const page = await openPage(browser, `${served.url}/rules`);
  await page.getByRole('heading', { name: '1 rule cannot be used' }).waitFor();
  await page.getByText(/rules\.yml:\d+:\d+/).waitFor();
  const rule = page.getByRole('button', { name: /Lag/ }).filter({ hasText: 'firing 2' });
  await rule.click();
  assert.equal(await rule.getAttribute('aria-expanded'), 'true');
  const form = page.getByRole('form', { name: 'Back-test' });
  await form.getByRole('button', { name: 'Back-test' }).click();
  await form.getByText(/^fires \d+ times? for 2 series/).waitFor();
  await form.getByLabel('Threshold').fill('100');
  await form.getByLabel('Threshold').press('Tab');
  await form.getByRole('button', { name: 'Back-test' }).click();
  await form.getByText('would not have fired').waitFor();
  await form.getByText('As it is now').first().waitFor();
  assert.equal(await rule.getAttribute('aria-expanded'), 'true', 'an update folds nothing');
  await page.getByLabel(/^Filter rules/).fill('story:lag');
  await page.getByRole('button', { name: /story:lag/ }).waitFor();
  await eventually('the address says it', () => new URL(page.url()).searchParams.get('q') === 'story:lag');
  await page.done();
});

test('the timeline tells all, and what is asked for', async () => {
  const mark = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"event":"passed","proposal_id":7}' };
  assert.equal((await fetch(`${served.url}/api/v1/events`, mark)).status, 202);
  const page = await openPage(browser, `${served.url}/timeline`);
  await page.getByRole('heading', { name: 'Today' }).waitFor();
  await page.getByText('Proposal 7: passed').waitFor();
  const part = (name) => page.getByRole('group', { name: 'What is shown' }).getByRole('button', { name });
  await part('Alerts').click();
  await page.locator('.timeline-sign', { hasText: 'critical alert' }).first().waitFor();
  await page.getByText('Proposal 7: passed').waitFor({ state: 'detached' });
  await eventually('the address says it', () => new URL(page.url()).searchParams.get('show') === 'alerts');
  await page.getByLabel('Filter what happened').fill('nothing of that kind');
  await page.getByText('Nothing to show').waitFor();
  await page.done();
});

test('the keyboard does all of it', async () => {
  const page = await openPage(browser, `${served.url}/alerts`);
  await items(page).first().waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
  await page.keyboard.press('j');
  await eventually('the first alert has the focus', async () => (await focused()) === 'Lag');
  await page.keyboard.press('/');
  await page.keyboard.type('peers');
  await eventually('the field has it', async () => (await items(page).count()) === 2);
  await page.keyboard.press('Escape');
  await eventually('Esc empties it', async () => (await items(page).count()) === 4);
  await item(page, 'Lag', 'eu-1').getByRole('button', { name: 'Acknowledge Lag' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Acknowledge' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.done();
});

for (const theme of ['light', 'dark']) {
  for (const [name, viewport] of [['a desktop', DESKTOP], ['a phone', PHONE]]) {
    test(`axe finds nothing serious on ${name}, ${theme}, and nothing scrolls sideways`, async () => {
      const options = { viewport, theme, touch: viewport === PHONE, reducedMotion: 'reduce' };
      const page = await openPage(browser, `${served.url}/alerts`, options);
      await items(page).first().waitFor();
      await assertAccessible(page, 'the alerts');
      await assertNoSidewaysScroll(page, 'the alerts');
      if (viewport === PHONE) {
        const small = await page.evaluate(() => [...document.querySelectorAll('main button, .rail a')]
          .map((element) => [element.getAttribute('aria-label') ?? element.textContent, element.getBoundingClientRect()])
          .filter(([, box]) => box.height > 0 && box.height < 44).map(([words, box]) => `${words}: ${box.height}`));
        assert.deepEqual(small.filter((words) => !/theme/i.test(words)), [], 'a finger finds them');
      }
      await items(page).first().getByRole('button', { name: /^Silence/ }).click();
      await page.getByRole('dialog').waitFor();
      await assertAccessible(page, 'the sheet');
      await page.keyboard.press('Escape');
      await tab(page, 'History').click();
      await page.getByText('firing, critical').first().waitFor();
      await assertNoSidewaysScroll(page, 'the history');
      await page.goto(`${served.url}/alerts/${await idOf('Lag', 'eu-1')}`);
      await page.getByText('It may miss its duty.').waitFor();
      await page.locator('.chart canvas').first().waitFor();
      await assertAccessible(page, 'one alert');
      await assertNoSidewaysScroll(page, 'one alert');
      await page.goto(`${served.url}/rules?q=lag+p1`);
      await page.getByRole('button', { name: /Lag/ }).filter({ hasText: 'firing 2' }).click();
      await page.getByRole('form', { name: 'Back-test' }).getByRole('button', { name: 'Back-test' }).click();
      await page.getByText(/^fires \d+ times? for 2 series/).waitFor();
      await assertAccessible(page, 'the rules');
      await assertNoSidewaysScroll(page, 'the rules');
      await page.goto(`${served.url}/timeline`);
      await page.locator('.timeline-line').first().waitFor();
      await assertAccessible(page, 'the timeline');
      await assertNoSidewaysScroll(page, 'the timeline');
      await page.done();
    });
  }
}

test('320 px are enough', async () => {
  for (const path of ['/alerts', '/rules', '/timeline', `/alerts/${await idOf('Lag', 'eu-1')}`]) {
    const page = await openPage(browser, served.url + path, { viewport: NARROW, touch: true });
    await page.locator('.alert-row, .rule, .timeline-line, .alert-head').first().waitFor();
    await assertNoSidewaysScroll(page, path);
    await page.done();
  }
});

test('what is over leaves the list while somebody looks', async () => {
  const page = await openPage(browser, `${served.url}/alerts`);
  await eventually('all are listed', async () => (await items(page).count()) === 4);
  await page.mouse.move(2, 2);
  node.pages['/metrics'] = metrics(2, 1);
  await eventually('two are left', async () => (await items(page).count()) === 2);
  await eventually('the title follows', async () => (await page.title()) === '(2) Alerts · Fleetglass');
  node.pages['/metrics'] = metrics(12, 1);
  await eventually('they are back', async () => (await items(page).count()) === 4);
  await page.done();
});
