// Draws the PNGs of static/icons from its SVGs. Run by hand when an icon has changed:
// `FLEETGLASS_NODE_MODULES=… node tests/browser/icons.mjs`; the PNGs are committed.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBrowser } from './harness.mjs';

const icons = join(dirname(fileURLToPath(import.meta.url)), '../../static/icons');
const svg = (name) => readFileSync(join(icons, `${name}.svg`), 'utf8');
// One colour on nothing: the system colours it.
const monochrome = svg('maskable').replace(/<rect[^>]*>/, '').replaceAll(/stroke="#[0-9a-f]{6}"/g, 'stroke="#ffffff"').replace('0 0 48 48', '9 9 30 30');

const browser = await openBrowser();
for (const [name, size, drawing] of [
  ['icon-192', 192, svg('favicon')],
  ['icon-512', 512, svg('favicon')],
  ['apple-touch-icon', 180, svg('maskable').replace('0 0 48 48', '6 6 36 36')],
  ['maskable-512', 512, svg('maskable')],
  ['monochrome-512', 512, monochrome],
  ['monochrome-96', 96, monochrome],
]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>*{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${drawing}`);
  await page.screenshot({ path: join(icons, `${name}.png`), omitBackground: true });
  await page.close();
}
await browser.close();
