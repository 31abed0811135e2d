// <fleetglass-panel> in Vue 3, as published, with a template of the page.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, modules, openBrowser, openPage } from './harness.mjs';
import { framesOf, onlyFrame, shareFor, startFleet, startPortal } from './portal.mjs';

let browser;
let fleet;
let portal;

before(async () => {
  [browser, portal, fleet] = await Promise.all([openBrowser(), startPortal(), startFleet()]);
  portal.files['/vue.js'] = readFileSync(join(modules, 'vue', 'dist', 'vue.global.js'), 'utf8');
});

after(async () => {
  await browser?.close();
  await fleet?.stop();
  portal?.stop();
});

test('Vue 3: the element follows state, tells what it hears, and goes with what shows it', async () => {
  const { address, viewers } = await shareFor(portal, fleet.fleetglass);
  // The page compiles its template itself, which a build would have done.
  portal.policy = "default-src * 'unsafe-inline' 'unsafe-eval'";
  portal.html = `<div id="root">
      <fleetglass-panel v-if="!isGone" :key="key" :src="src" :height="height" :theme="theme" title="Nodes" @fleetglass-height="hear">
        <b slot="error">Nothing came</b>
      </fleetglass-panel>
    </div>
    <script src="/vue.js"></script><script>
      self.heights = [];
      const app = Vue.createApp({
        data: () => ({ isGone: false, key: 1, src: ${JSON.stringify(address('fleet'))}, height: 150, theme: undefined }),
        methods: { hear({ detail }) { self.heights.push(detail.height); } },
      });
      app.config.compilerOptions.isCustomElement = (tag) => tag.startsWith('fleetglass-');
      const root = app.mount('#root');
      self.change = (more) => Object.assign(root, more);
    </script><script src="${fleet.fleetglass.url}/embed.js" async></script>`;
  const page = await openPage(browser, portal.origin);
  const change = (more) => page.evaluate((to) => self.change(to) && undefined, more);
  const frame = page.locator('fleetglass-panel iframe');
  const frames = () => framesOf(page);
  const shown = (view) => onlyFrame(page, view);
  const first = await shown('fleet');
  await first.getByText('All 2 well').waitFor();
  assert.equal((await frame.boundingBox()).height, 150);
  assert.equal(await frame.getAttribute('title'), 'Nodes');

  await change({ height: null, theme: 'dark' });
  await eventually('it is dark', () => first.evaluate(() => document.documentElement.dataset.theme === 'dark'));
  await eventually('it is as high as it says', async () => {
    const { height } = await frame.boundingBox();
    return Math.abs(height - await page.evaluate(() => self.heights.at(-1))) <= 1;
  });
  assert.equal(frames()[0], first, 'nothing of it was loaded anew');
  await change({ key: 2, src: address('node&node=eu-2') });
  await (await shown('node')).locator('.headline', { hasText: 'eu-2' }).waitFor();
  await change({ isGone: true });
  await eventually('it is gone, and its stream', async () => frames().length === 0 && (await viewers()) === 0);
  await change({ isGone: false, src: null });
  await page.getByText('Nothing came').waitFor();
  await change({ src: address('fleet') });
  await (await shown('fleet')).getByText('All 2 well').waitFor();
  await eventually('it has a stream again', async () => (await viewers()) === 1);
  await page.done();
});
