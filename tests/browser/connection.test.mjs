// The line to the proxy: always in sight, found again by itself, never old as new.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, live, openBrowser, openPage, row, run, startNode, startServe } from './harness.mjs';

let browser;
let node;

const nodes = (ids) => `[scrape]\ninterval = "500ms"\ntimeout = "500ms"\n`
  + ids.map((id) => `[[target]]\nid = "${id}"\nfamily = "generic"\nurl = "${node.url}"\n`).join('');

// What the browser itself says when a connection breaks.
const broken = [/net::ERR_/, /Failed to load resource/];

before(async () => {
  browser = await openBrowser();
  node = await startNode({ '/health': '{"status":"ok","peer_count":5}' });
});

after(async () => {
  await browser?.close();
  await node?.stop();
});

test('a proxy that was killed and restarted is found again, with another fleet', async () => {
  const first = await startServe(nodes(['a', 'b']));
  const listen = first.url.replace('http://', '');
  const page = await openPage(browser, first.url, { expected: broken });
  await live(page);
  await row(page, 'b').waitFor();

  await first.stop();
  const connection = page.locator('.connection');
  await connection.getByText(/reconnecting in \d+ ?s/).waitFor();
  await page.getByRole('status').getByText('it is us, not the fleet').waitFor();
  await page.getByRole('button', { name: 'Try now' }).waitFor();
  assert.ok(await row(page, 'a').isVisible(), 'what was known stays on the screen');
  const seen = new Set();
  await eventually('the countdown runs', async () => {
    seen.add(await connection.innerText());
    return seen.size > 2;
  });

  // The new run has another epoch: nothing of the old fleet may stay.
  const second = await startServe(nodes(['b', 'c']), { listen });
  await live(page);
  await row(page, 'c').waitFor();
  await row(page, 'a').waitFor({ state: 'detached' });
  await row(page, 'b').getByText('healthy').waitFor();
  assert.equal(await page.getByRole('status').getByText('it is us, not the fleet').count(), 0);
  await page.done();
  await second.stop();
});

test('"Try now" does not wait for the countdown', async () => {
  const first = await startServe(nodes(['a']));
  const page = await openPage(browser, first.url, { expected: broken });
  await live(page);
  await first.stop();
  // Let the waits grow.
  await page.locator('.connection').getByText(/reconnecting in [4-9] ?s|reconnecting in \d\d ?s/).waitFor();
  const second = await startServe(nodes(['a']), { listen: first.url.replace('http://', '') });
  await page.getByRole('button', { name: 'Try now' }).click();
  await live(page);
  await page.done();
  await second.stop();
});

test('a proxy that has gone quiet is not shown as live', async () => {
  const served = await startServe(nodes(['a']));
  const page = await openPage(browser, served.url, { expected: broken });
  await live(page);
  await row(page, 'a').getByText('healthy').waitFor();

  served.process.child.kill('SIGSTOP');
  await page.locator('.connection').getByText(/^stale, .* old$/).waitFor();
  await page.getByRole('status').getByText('gone quiet').waitFor();
  await eventually('the row is dimmed', async () => /row-unheard/.test(await row(page, 'a').getAttribute('class')));

  served.process.child.kill('SIGCONT');
  await live(page);
  await eventually('the row is fresh', async () => !/row-(unheard|old)/.test(await row(page, 'a').getAttribute('class')));
  await page.done();
  await served.stop();
});

test('a proxy with a login asks for a token, and opens with the right one', async () => {
  const { token, hash } = JSON.parse(await run(['token', 'new', '--json']));
  const login = `[[auth.token]]\nname = "me"\nhash = "${hash}"\n`;
  const served = await startServe(`${nodes(['a'])}${login}`);
  const page = await openPage(browser, served.url, { expected: [/401/] });

  await page.getByRole('heading', { name: 'This Fleetglass asks who you are' }).waitFor();
  const field = page.getByLabel('Token');
  assert.ok(await field.evaluate((element) => element === document.activeElement), 'the field has the focus');
  await field.fill('fg_wrong');
  await field.press('Enter');
  await eventually('it is asked for again', async () => page.getByRole('heading', { name: 'This Fleetglass asks who you are' }).isVisible());

  await field.fill(token);
  await page.getByRole('button', { name: 'Open with the token' }).click();
  await live(page);
  await row(page, 'a').waitFor();
  assert.ok(!page.url().includes(token), 'the token is in no address');
  await page.reload();
  await live(page);
  await page.done();
  await served.stop();
});
