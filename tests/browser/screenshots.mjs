// Makes the gallery of the docs: `node tests/browser/screenshots.mjs`. The same seed, the same fleet.

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DESKTOP, PHONE, coloursOf, eventually, fleetOf, live, openBrowser, openPage, rows, startDemo, tiles } from './harness.mjs';

const gallery = join(dirname(fileURLToPath(import.meta.url)), '../../docs/screenshots');
// Charts need some minutes to show more than a dot.
const MINUTES = Number(process.env.FLEETGLASS_GALLERY_MINUTES ?? 3);

mkdirSync(gallery, { recursive: true });
const [browser, demo] = await Promise.all([openBrowser(), startDemo({ nodes: 60, seed: 7, interval: '2s' })]);
try {
  await statusPage();
  await new Promise((resolve) => setTimeout(resolve, MINUTES * 60_000));
  for (const [device, options] of [
    ['desktop', { viewport: DESKTOP }],
    ['phone', { viewport: PHONE, touch: true, scale: 2 }],
  ]) {
    for (const theme of ['light', 'dark']) {
      const shot = (page, name) => page.screenshot({ path: join(gallery, `${name}-${device}-${theme}.png`) });
      const page = await openPage(browser, demo.url, { ...options, theme, reducedMotion: 'reduce' });
      await live(page);
      await rows(page).first().waitFor();
      await shot(page, 'fleet');
      await page.getByRole('button', { name: 'Heat grid' }).click();
      await tiles(page).first().waitFor();
      await shot(page, 'grid');

      await page.goto(`${demo.url}/nodes/${encodeURIComponent(await mostToSay())}`);
      await page.getByRole('region', { name: 'What it says' }).waitFor();
      await shot(page, 'node');
      const charts = page.locator('.chart canvas');
      await page.locator('.chart').first().scrollIntoViewIfNeeded();
      await eventually('the charts are drawn', async () => (await coloursOf(charts.first())) > 3);
      await page.getByRole('heading', { name: 'Charts' }).evaluate((heading) => heading.scrollIntoView({ block: 'start' }));
      await page.waitForTimeout(500);
      await shot(page, 'charts');

      if (device === 'phone') {
        await page.goto(`${demo.url}/glance`);
        await page.locator('.glance-title').waitFor();
        await shot(page, 'glance');
        await page.goto(`${demo.url}/notifications`);
        await page.getByRole('region', { name: 'This browser' }).waitFor();
        await shot(page, 'push');
      }

      await page.goto(`${demo.url}/alerts`);
      await page.getByRole('button', { name: 'Acknowledge' }).first().waitFor();
      await shot(page, 'alerts');
      await page.goto(`${demo.url}/risks`);
      await page.locator('.risk-row').first().waitFor();
      await page.waitForTimeout(1_000);
      await shot(page, 'risks');
      await page.locator('.risk-name').first().click();
      await page.locator('.risk-detail .chart canvas, .risk-few').first().waitFor();
      await page.waitForTimeout(1_500);
      await shot(page, 'risk');
      await page.goto(`${demo.url}/rules`);
      await page.getByRole('heading', { name: 'Rules', exact: true }).first().waitFor();
      await page.waitForTimeout(1_000);
      await shot(page, 'rules');
      await page.goto(`${demo.url}/shares?new=fleet`);
      await page.getByText('just now').waitFor();
      await page.waitForTimeout(500);
      await shot(page, 'share-new');
      await page.getByLabel('Title, as').fill('For Acme');
      await page.getByRole('button', { name: 'Make the link' }).click();
      await page.getByRole('img', { name: 'QR code' }).waitFor();
      await shot(page, 'share-made');
      await page.getByRole('button', { name: 'Done' }).click();
      await page.waitForTimeout(500);
      await shot(page, 'shares');
      await page.goto(`${demo.url}/status`);
      await page.getByRole('heading', { name: 'Slow answers' }).waitFor();
      await shot(page, 'status-desk');
      await page.goto(`${demo.url}/status/acme`);
      await shot(page, 'status-page');
      await page.done();
    }
  }
  console.log(`the gallery is in ${gallery}`);
} finally {
  await browser.close();
  await demo.stop();
}

/** The degraded node with the most reasons, else the first. */
async function mostToSay() {
  const { nodes } = await fleetOf(demo.url);
  const answering = nodes.filter(({ status }) => ['degraded', 'unhealthy'].includes(status));
  const sorted = answering.toSorted((a, b) => (b.reasons?.length ?? 0) - (a.reasons?.length ?? 0));
  return (sorted[0] ?? nodes[0]).id;
}

/** A public status page with an incident on it. */
async function statusPage() {
  const send = (path, body) => fetch(`${demo.url}/api/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const scope = { select: ['{instance!=""}'], views: ['fleet'] };
  await send('shares', { title: 'Acme staking', by: 'Northwind Nodes', scope, slug: 'acme', group_by: 'region' });
  await send('status/acme/posts', { kind: 'incident', title: 'Slow answers', text: 'We look into it.', impact: 'minor' });
}
