// A page of somebody else's, and React for it.

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join, posix } from 'node:path';
import { modules } from './harness.mjs';

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
