// <fleetglass-panel> in React 18 and 19, as published: state, keys, strict mode, markup of a server.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { eventually, openBrowser, openPage } from './harness.mjs';
import { framesOf as frames, onlyFrame as shown, reactOf, shareFor, startFleet, startPortal } from './portal.mjs';

const VERSIONS = ['18', '19'];
let browser;
let fleet;
let portal;

before(async () => {
  [browser, portal, fleet] = await Promise.all([openBrowser(), startPortal(), startFleet()]);
  for (const version of VERSIONS) portal.files[`/react-${version}.js`] = `self.bundle = ${reactOf(version)};`;
});

after(async () => {
  await browser?.close();
  await fleet?.stop();
  portal?.stop();
});

const shared = () => shareFor(portal, fleet.fleetglass);
const element = () => `<script src="${fleet.fleetglass.url}/embed.js" async></script>`;
const visit = async (version) => {
  const page = await openPage(browser, portal.origin);
  assert.ok((await page.evaluate(() => self.bundle.React.version)).startsWith(version));
  return page;
};

for (const version of VERSIONS) {
  test(`React ${version}: the element follows state and keys, is told of, and goes with what shows it`, async () => {
    const { address, viewers } = await shared();
    portal.html = `${element()}<div id="root"></div><script src="/react-${version}.js"></script><script>
      const { React: { createElement: h, useState, useRef, useEffect, StrictMode }, ReactDOM } = self.bundle;
      self.heights = [];
      function App() {
        const [own, set] = useState({ src: ${JSON.stringify(address('fleet'))}, height: 150 });
        const ref = useRef(null);
        useEffect(() => {
          self.change = (more) => set((before) => ({ ...before, ...more }));
        }, []);
        useEffect(() => {
          const panel = ref.current;
          if (!panel) return undefined;
          const hear = ({ detail }) => self.heights.push(detail.height);
          panel.addEventListener('fleetglass-height', hear);
          return () => panel.removeEventListener('fleetglass-height', hear);
        });
        const { isGone, id, ...rest } = own;
        return isGone ? null : h('fleetglass-panel', { ref, key: id, title: 'Nodes', ...rest }, h('b', { slot: 'error' }, 'Nothing came'));
      }
      ReactDOM.createRoot(document.getElementById('root')).render(h(StrictMode, null, h(App)));
    </script>`;
    const page = await visit(version);
    const change = (more) => page.evaluate((to) => self.change(to), more);
    const frame = page.locator('fleetglass-panel iframe');
    const fleet = await shown(page, 'fleet');
    await fleet.getByText('All 2 well').waitFor();
    await fleet.getByText(/^Live$/).waitFor();
    assert.equal((await frame.boundingBox()).height, 150);
    assert.equal(await frame.getAttribute('title'), 'Nodes');
    assert.equal(await viewers(), 1, 'strict mode opens no stream of its own');

    await change({ height: 222 });
    await eventually('it is as high as the state says', async () => (await frame.boundingBox()).height === 222);
    await change({ height: null, ratio: '2/1' });
    await eventually('it has the ratio of the state', async () => {
      const { width, height } = await frame.boundingBox();
      return Math.abs(width / height - 2) < 0.02;
    });
    // What is not said any more holds no more: then it is as high as it likes.
    await change({ ratio: undefined });
    await eventually('it is as high as it says', async () => {
      const { height } = await frame.boundingBox();
      return Math.abs(height - await page.evaluate(() => self.heights.at(-1))) <= 1;
    });
    assert.equal(frames(page)[0], fleet, 'nothing of it was loaded anew');
    await change({ theme: 'dark' });
    await eventually('it is dark', () => fleet.evaluate(() => document.documentElement.dataset.theme === 'dark'));

    await change({ src: address('uptime') });
    await (await shown(page, 'uptime')).getByRole('row', { name: /All/ }).waitFor();
    await change({ id: 'another', src: address('node&node=eu-2') });
    await (await shown(page, 'node')).locator('.headline', { hasText: 'eu-2' }).waitFor();
    await change({ isGone: true });
    await eventually('it is gone, and its stream', async () => frames(page).length === 0 && (await viewers()) === 0);
    await change({ isGone: false });
    await (await shown(page, 'node')).locator('.headline', { hasText: 'eu-2' }).waitFor();
    await eventually('it has a stream again', async () => (await viewers()) === 1);
    // Without an address there are the words of the page, and with one they go.
    await change({ src: null });
    await page.getByText('Nothing came').waitFor();
    await change({ src: address('fleet') });
    await (await shown(page, 'fleet')).getByText('All 2 well').waitFor();
    assert.equal(await page.getByText('Nothing came').isVisible(), false);
    await page.done();
  });

  test(`React ${version}: an effect that runs twice leaves one panel, and events may be properties`, async () => {
    const { address, viewers } = await shared();
    portal.html = `${element()}<div id="root"></div><script src="/react-${version}.js"></script><script>
      const { React: { createElement: h, useRef, useEffect, StrictMode }, ReactDOM } = self.bundle;
      self.effects = 0;
      function App() {
        const ref = useRef(null);
        useEffect(() => {
          self.effects += 1;
          const panel = ref.current;
          panel.src = ${JSON.stringify(address('fleet'))};
          return () => { panel.src = null; };
        }, []);
        // From 19 on what begins with "on" is a listener.
        return h('fleetglass-panel', { ref, 'onfleetglass-height': ({ detail }) => { self.height = detail.height; } });
      }
      ReactDOM.createRoot(document.getElementById('root')).render(h(StrictMode, null, h(App)));
    </script>`;
    const page = await visit(version);
    await (await shown(page, 'fleet')).getByText('All 2 well').waitFor();
    assert.equal(await page.evaluate(() => self.effects), 2);
    await eventually('one stream', async () => (await viewers()) === 1);
    if (version !== '18') await eventually('the listener has heard', () => page.evaluate(() => self.height > 40));
    await page.done();
  });

  test(`React ${version}: what a server has written is taken over before and after the element's script`, async () => {
    const { address } = await shared();
    const app = `(h) => h('main', null,
      h('fleetglass-panel', { src: ${JSON.stringify(address('fleet'))}, height: 160, title: 'Nodes' }),
      h('fleetglass-panel', { height: '40' }, h('b', { slot: 'error' }, 'None')))`;
    // By a process without a window, which ends when it has written: React waits there for messages.
    const written = execFileSync(process.execPath, ['-'], {
      encoding: 'utf8',
      input: `const self = {}; ${portal.files[`/react-${version}.js`]}
        const { React, ReactDOMServer } = self.bundle;
        process.stdout.write(ReactDOMServer.renderToString((${app})(React.createElement)), () => process.exit());`,
    });
    assert.match(written, /<fleetglass-panel src="http[^"]+" height="160" title="Nodes">/);
    for (const isFirst of [true, false]) {
      portal.html = `${isFirst ? `<script src="${fleet.fleetglass.url}/embed.js"></script>` : ''}<div id="root">${written}</div>
        <script src="/react-${version}.js"></script><script>
        const app = ${app};
        const { React, ReactDOM } = self.bundle;
        self.before = document.querySelector('fleetglass-panel');
        self.faults = [];
        ReactDOM.hydrateRoot(document.getElementById('root'), app(React.createElement), { onRecoverableError: ({ message }) => self.faults.push(message) });
        </script>${isFirst ? '' : element()}`;
      const page = await visit(version);
      await (await shown(page, 'fleet')).getByText('All 2 well').waitFor();
      await page.getByText('None').waitFor();
      assert.equal((await page.locator('fleetglass-panel iframe').first().boundingBox()).height, 160);
      assert.deepEqual(await page.evaluate(() => self.faults), []);
      assert.ok(await page.evaluate(() => self.before === document.querySelector('fleetglass-panel')), 'the same element');
      // React says in the console what it finds other than it wrote it.
      await page.done();
    }
  });
}
