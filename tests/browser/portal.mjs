// A page of somebody else's, a fleet whose panels it shows, and React for it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join, posix } from 'node:path';
import { eventually, modules, startNode, startServe } from './harness.mjs';

/** A server that answers every address with what `page.html` is then, but for those of `page.files`: scripts. */
export async function startPortal() {
  const page = { html: '', files: {} };
  const server = createServer((request, response) => {
    const script = page.files[request.url];
    if (script) return response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    // A strict page: no inline style, and scripts of its own and ours only.
    response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': page.policy ?? "default-src * 'unsafe-inline'" });
    return response.end(`<!doctype html><html lang="en"><title>A portal</title>${page.html}`);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  server.unref().on('connection', (socket) => socket.unref());
  return Object.assign(page, { origin: `http://127.0.0.1:${server.address().port}`, stop: () => server.closeAllConnections() });
}

/** Two nodes that are well, which are one server in truth, and Fleetglass over them. */
export async function startFleet(pages = { '/metrics': { type: 'text/plain', body: '' } }) {
  const node = await startNode({ '/health': health('ok'), ...pages });
  const targets = ['eu-1', 'eu-2'].map((id) => `[[target]]\nid = "${id}"\nfamily = "generic"\nurl = "${node.url}"\n`);
  const fleetglass = await startServe(`[scrape]\ninterval = "2s"\ntimeout = "2s"\n${targets.join('')}`);
  const stop = async () => {
    await fleetglass.stop();
    await node.stop();
  };
  return { node, fleetglass, stop };
}

/** What a node says of itself. */
export const health = (status, version = '1.0.0') => JSON.stringify({ status, version, uptime_seconds: 5 });

/** A link that a portal may show, with all views unless `more` says otherwise. */
export async function shareFor(portal, fleetglass, more = {}) {
  const scope = { select: ['{instance!=""}'], views: ['fleet', 'node', 'charts', 'alerts', 'risks'] };
  const answer = await fetch(`${fleetglass.url}/api/v1/shares`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'For Acme', by: 'Ada', origins: [portal.origin], scope, ...more }),
  });
  assert.equal(answer.status, 201);
  const { token, share } = await answer.json();
  const address = (view) => `${fleetglass.url}/embed/${token}?view=${view}`;
  const viewers = async () => (await (await fetch(`${fleetglass.url}/api/v1/shares/${share.id}`)).json()).viewers;
  return { token, share, address, viewers };
}

/** The frames of panels in a page. */
export const framesOf = (page) => page.frames().filter((one) => one.url().includes('/embed/'));

/** The one frame there is, of a view. */
export const onlyFrame = (page, view) => eventually(`${view} alone is shown`, () => {
  const [one, ...more] = framesOf(page);
  return more.length === 0 && one?.url().includes(`view=${view}`) && one;
});

/** Where a package of React of a version is: those of both lie side by side under names of their own. */
function folderOf(name, version, from) {
  if (name === 'react' || name === 'react-dom') return join(modules, `${name}-${version}`);
  const nested = join(from, 'node_modules', name);
  return existsSync(nested) ? nested : join(modules, name);
}

/**
 * React of a version as one script, as a bundler makes it of the published packages; it gives
 * `{ React, ReactDOM, ReactDOMServer }`. The build for development is the one whose strict mode does all effects twice.
 */
export function reactOf(version) {
  const all = new Map();
  const add = (folder, file) => {
    const path = join(folder, file);
    if (all.has(path)) return path;
    const needs = {};
    const text = readFileSync(path, 'utf8');
    all.set(path, { text, needs });
    for (const [, wish] of text.matchAll(/require\(["']([^"']+)["']\)/g)) {
      if (wish.includes('production')) continue;
      if (wish.startsWith('.')) needs[wish] = add(folder, posix.join(dirname(file), wish));
      else {
        const [name, part = 'index'] = wish.split('/');
        needs[wish] = add(folderOf(name, version, folder), `${part}.js`);
      }
    }
    return path;
  };
  const entries = { React: ['react', 'index.js'], ReactDOM: ['react-dom', 'client.js'], ReactDOMServer: ['react-dom', 'server.browser.js'] };
  const exported = Object.entries(entries).map(([as, [name, file]]) => `${as}: load(${JSON.stringify(add(folderOf(name, version), file))})`);
  const written = [...all].map(([path, { text, needs }]) => `${JSON.stringify(path)}: [${JSON.stringify(needs)}, function (module, exports, require) {${text}\n}]`);
  return `(() => {
    const process = { env: { NODE_ENV: 'development' } };
    const loaded = {};
    const all = {${written.join(',\n')}};
    const load = (path) => {
      if (loaded[path]) return loaded[path].exports;
      const [needs, run] = all[path];
      const module = loaded[path] = { exports: {} };
      run(module, module.exports, (name) => load(needs[name]));
      return module.exports;
    };
    return { ${exported.join(', ')} };
  })()`;
}
