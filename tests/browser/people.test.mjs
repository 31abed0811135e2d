// People in the app: signing in, who may see what, a token, a stolen session taken back.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { PHONE, assertAccessible, assertNoSidewaysScroll, counted, eventually, live, openBrowser, openPage, startServe, startSim } from './harness.mjs';

const TOKEN = `fg_${'5a'.repeat(32)}`;
const PASSWORD = 'a long and winding road';

let browser;
let sim;
let serve;

before(async () => {
  [browser, sim] = await Promise.all([openBrowser(), startSim({ nodes: 10 })]);
  const hash = createHash('sha256').update(TOKEN).digest('hex');
  const config = `[scrape]\ninterval = "1s"\ntimeout = "1s"\n[[discovery]]\nfile_sd = ["${sim.targetsFile}"]\n[[auth.token]]\nname = "ops"\nhash = "sha256:${hash}"\n`;
  serve = await startServe(config, { ready: false });
  await add({ name: 'ada', role: 'admin', password: PASSWORD });
});

after(async () => {
  await browser?.close();
  await serve?.stop();
  await sim?.stop();
});

const asked = (path, options = {}) =>
  fetch(`${serve.url}${path}`, { ...options, headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' } });

async function add(user) {
  const answer = await asked('/api/v1/users', { method: 'POST', body: JSON.stringify(user) });
  assert.ok(answer.ok, `${answer.status} ${await answer.text()}`);
}

/** A page of somebody who has signed in through the page that the proxy draws. */
async function signedIn(name, password, path = '/', options = {}) {
  const page = await openPage(browser, `${serve.url}${path}`, { expected: [/40[13]/], ...options });
  await page.getByRole('heading', { name: 'This Fleetglass asks who you are' }).waitFor();
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.waitForURL('**/login**');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: /sign in|log in/i }).click();
  return page;
}

const part = (page, name) => page.getByRole('group', { name: 'Which part' }).getByRole('button', { name });

test('an admin signs in, adds somebody who sees a part of the fleet, and reads what was done', async () => {
  const page = await signedIn('ada', 'not the password of ada');
  await page.getByText('not right').waitFor();
  await assertAccessible(page, 'the page to sign in');
  await page.getByLabel('Name').fill('ada');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: /sign in|log in/i }).click();
  await live(page);
  const { total } = await eventually('the fleet is there', () => counted(page));

  await page.getByRole('navigation').getByRole('link', { name: 'People' }).click();
  await page.locator('.people-name', { hasText: 'ada' }).waitFor();
  await part(page, 'Users').click();
  const { nodes } = await (await asked('/api/v1/fleet')).json();
  const { family } = nodes[0];
  await page.getByLabel('Name', { exact: true }).fill('bob');
  await page.getByLabel('First password').fill('correct horse battery');
  await page.getByLabel('Nodes').fill(`{family="${family}"}`);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('bob can sign in now.').waitFor();
  await assertAccessible(page, 'users');

  // He sees his nodes and no others, and nothing of who else there is.
  const his = await signedIn('bob', 'correct horse battery');
  await live(his);
  const own = nodes.filter((node) => node.family === family).length;
  assert.ok(own > 0 && own < total);
  await eventually('his nodes and no others', async () => (await counted(his)).total === own);
  await his.goto(`${serve.url}/people`);
  await his.locator('.people-name', { hasText: 'bob' }).waitFor();
  await his.getByText(`{family="${family}"}`).waitFor();
  assert.equal(await part(his, 'Users').isVisible(), false);
  assert.equal(await part(his, 'Audit log').isVisible(), false);

  // His browser was stolen: she ends its session, and it shows nothing any more.
  await his.goto(serve.url);
  await live(his);
  await part(page, 'Sessions').click();
  const session = page.getByRole('listitem').filter({ hasText: 'bob' });
  await session.getByRole('button', { name: /^Sign out/ }).click();
  await session.getByRole('button', { name: /^Really sign out/ }).click();
  await his.getByRole('heading', { name: 'This Fleetglass asks who you are' }).waitFor();
  await his.done();

  await part(page, 'Audit log').click();
  for (const words of ['login failed', /user added.*bob/, 'session revoked']) {
    await page.getByRole('listitem').filter({ hasText: words }).first().waitFor();
  }
  await assertAccessible(page, 'the audit log');
  await page.done();
});

test('a token is made, shown once, works, and is taken back; then she signs out', async () => {
  const page = await signedIn('ada', PASSWORD, '/people?show=tokens', { viewport: PHONE, touch: true });
  await page.getByLabel('Name', { exact: true }).fill('a script');
  await page.getByRole('button', { name: 'Make a token' }).click();
  const secret = await page.locator('.people-token').innerText();
  const ask = () => fetch(`${serve.url}/api/v1/fleet`, { headers: { authorization: `Bearer ${secret.trim()}` } });
  assert.equal((await ask()).status, 200);
  await assertNoSidewaysScroll(page, 'tokens on a phone');
  await assertAccessible(page, 'tokens');
  await page.getByRole('button', { name: 'Done' }).click();
  assert.ok(!(await page.locator('body').innerText()).includes(secret.trim()));
  const row = page.getByRole('listitem').filter({ hasText: 'a script' });
  await row.getByText(/Last used/).waitFor();
  await row.getByRole('button', { name: /^Revoke/ }).click();
  await row.getByRole('button', { name: /^Really revoke/ }).click();
  await eventually('it opens nothing any more', async () => (await ask()).status === 401);

  await page.goto(`${serve.url}/people`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto(serve.url);
  await page.getByRole('heading', { name: 'This Fleetglass asks who you are' }).waitFor();
  await page.done();
});
