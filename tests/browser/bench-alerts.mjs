// Measures, it does not test: from a value on a node to the alert in the browser, near danger too, and a back-test over a day
// of a hundred nodes. `cargo xtask bench alerts` runs it with the release binary and prints what it prints.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { live, openBrowser, openPage, run, startNode, startServe } from './harness.mjs';

const figures = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const words = (ms) => `${(ms / 1000).toFixed(2)} s`;
  return `min ${words(sorted[0])}, median ${words(sorted[sorted.length >> 1])}, max ${words(sorted.at(-1))} of ${sorted.length}`;
};

const browser = await openBrowser();
await crossing('crossing a bound, asked every 5 s', { interval: '5s', calm: 10, times: 8, limit: 6000 });
await crossing('crossing a bound from near it, asked every 60 s', { interval: '60s', calm: 290, times: 8, limit: 4000 });
await backTest();
await browser.close();

/** One node of a family with slash risks, whose value goes over its bound of 300 again and again. */
async function crossing(what, { interval, calm, times, limit }) {
  const lag = (seconds) => ({
    type: 'application/openmetrics-text; version=1.0.0',
    body: `# TYPE decdn_blacklist_sync_lag_seconds gauge\ndecdn_blacklist_sync_lag_seconds ${seconds}\n# EOF\n`,
  });
  const health = '{"status":"ready","peer_count":9,"channels_open":1,"watchtowers_registered":3,"version":"1.0.0"}';
  const node = await startNode({ '/health': health, '/metrics': lag(calm) });
  const served = await startServe(
    `[scrape]\ninterval = "${interval}"\ntimeout = "4s"\n[[target]]\nid = "eu-1"\nfamily = "decdn"\nurl = "${node.url}"\n`,
  );
  const page = await openPage(browser, `${served.url}/alerts?q=BlacklistLag`);
  await live(page);
  const alert = page.locator('.alert-name', { hasText: /^BlacklistLag$/ });
  const took = [];
  for (let time = 0; time < times; time += 1) {
    await page.getByRole('group', { name: 'Which alerts' }).waitFor();
    await alert.waitFor({ state: 'detached' });
    // Anywhere in an interval.
    await page.waitForTimeout(4000 + Math.random() * 3000);
    const begun = performance.now();
    node.pages['/metrics'] = lag(301);
    await alert.first().waitFor();
    took.push(performance.now() - begun);
    node.pages['/metrics'] = lag(calm);
  }
  console.log(`${what}: to the alert in the browser ${figures(took)}, limit ${limit / 1000} s`);
  await page.done();
  await served.stop();
  await node.stop();
}

/** A hundred nodes, a sample each 15 s for a day, and a rule that is tried over all of it. */
async function backTest() {
  const rules = 'groups:\n  - name: bench\n    rules:\n      - alert: Lag\n        expr: lag_seconds > 90\n        for: 1m\n';
  const served = await startServe('[rules]\nfiles = ["rules.yml"]\nbuilt_in = false\n', { files: { 'rules.yml': rules }, ready: false });
  const [day, now] = [86_400, Math.floor(Date.now() / 15_000) * 15];
  const lines = ['# TYPE lag_seconds gauge'];
  for (let node = 0; node < 100; node += 1) {
    for (let at = now - day; at <= now; at += 15) {
      lines.push(`lag_seconds{instance="node-${node}",job="bench"} ${(at / 15 + node * 7) % 100} ${at}`);
    }
  }
  lines.push('# EOF', '');
  const file = join(served.folder, 'day.om');
  writeFileSync(file, lines.join('\n'));
  console.log((await run(['import', '--url', served.url, file])).trim());
  const page = await openPage(browser, `${served.url}/rules`);
  await page.getByRole('button', { name: /Lag/ }).click();
  const form = page.getByRole('form', { name: 'Back-test' });
  const answer = form.getByText(/^fires .* for \d+ series/);
  const took = [];
  for (const bound of ['90', '91', '92', '93', '94', '95']) {
    await form.getByLabel('Threshold').fill(bound);
    await form.getByLabel('Threshold').press('Tab');
    const asked = page.waitForResponse((response) => response.url().includes('backtest'));
    const begun = performance.now();
    await form.getByRole('button', { name: 'Back-test' }).click();
    await asked;
    await answer.first().waitFor();
    await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
    took.push(performance.now() - begun);
  }
  console.log(`a back-test over 24 h of 100 nodes, from the press to the picture: ${figures(took)}, limit 1 s`);
  await page.done();
  await served.stop();
}
