// Signing in and out with a real browser: no script, so that it works in any state of the app.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESKTOP, NARROW, PHONE, assertAccessible, assertNoSidewaysScroll, openBrowser, openPage, smallTargets, startNode, startServe } from './harness.mjs';

const PASSWORD = 'seven boats at dusk';
let browser;
let proxy;

before(async () => {
  [browser, proxy] = await Promise.all([openBrowser(), startServe('', { ready: false })]);
  const answer = await fetch(`${proxy.url}/api/v1/users`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'ada', password: PASSWORD, role: 'admin' }),
  });
  assert.equal(answer.status, 201, await answer.text());
});

after(async () => {
  await browser?.close();
  await proxy?.stop();
});

test('a person signs in, is told what is wrong, and signs out', async () => {
  const page = await openPage(browser, `${proxy.url}/login?next=/healthz`, { expected: [/403/, /favicon/] });
  await assertAccessible(page, 'the sign-in page');
  await page.getByLabel('Name').fill('ada');
  await page.getByLabel('Password').fill('not this one');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('The name or the password is not right.').waitFor();
  await assertAccessible(page, 'the sign-in page after a failure');
  assert.equal(await page.getByLabel('Name').inputValue(), 'ada', 'the name stays');
  assert.equal(await page.getByLabel('Password').inputValue(), '', 'the password does not');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/healthz');
  assert.equal((await page.context().cookies()).find(({ name }) => name === 'fleetglass_session').httpOnly, true);
  assert.equal(await page.evaluate(async () => (await fetch('/api/v1/fleet')).status), 200);
  await page.goto(`${proxy.url}/logout`);
  await page.getByText('You are signed in as ada.').waitFor();
  await assertAccessible(page, 'the sign-out page');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/login');
  assert.deepEqual(await page.context().cookies(), []);
  await page.done();
});

test('a page elsewhere gets nothing done with the cookie of whoever is signed in', async () => {
  const page = await openPage(browser, `${proxy.url}/login?next=/healthz`, { expected: [/./] });
  await page.getByLabel('Name').fill('ada');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/healthz');
  // Another port of this machine is the same site to a browser, so the cookie goes along.
  const evil = await startNode({ '/': { type: 'text/html', body: `<form method="post" action="${proxy.url}/logout"><button>Win</button></form>` } });
  await page.goto(evil.url);
  await page.getByRole('button', { name: 'Win' }).click();
  await page.waitForURL(`${proxy.url}/log*`);
  await page.getByText('You are signed in as ada.').waitFor();
  await page.goto(`${proxy.url}/logout`);
  await page.getByText('You are signed in as ada.').waitFor();
  await page.context().close();
  await evil.stop();
});

for (const [name, viewport, theme] of [['desktop', DESKTOP, 'light'], ['dark', DESKTOP, 'dark'], ['phone', PHONE, 'light'], ['narrow', NARROW, 'dark']]) {
  test(`the sign-in page fits and can be read: ${name}`, async () => {
    const page = await openPage(browser, `${proxy.url}/login`, { viewport, theme, touch: viewport !== DESKTOP });
    await assertNoSidewaysScroll(page, name);
    if (viewport !== DESKTOP) assert.deepEqual(await smallTargets(page), [], 'too small for a finger');
    await assertAccessible(page, name);
    if (process.env.FLEETGLASS_SHOTS) await page.screenshot({ path: `${process.env.FLEETGLASS_SHOTS}/login-${name}.png` });
    await page.done();
  });
}
