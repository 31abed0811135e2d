// Bundles app.tsx and serves it with the policy of a Backstage backend: its defaults, and the line of app-config.yaml.
// FLEETGLASS_URL and FLEETGLASS_TOKEN say which link; STRICT=1 leaves the line out, and the frames stay empty.
import { createServer } from 'node:http';
import { build } from 'esbuild';
import helmet from 'helmet';

const url = process.env.FLEETGLASS_URL ?? 'http://127.0.0.1:8080';
const port = Number(process.env.PORT ?? 4900);
const { outputFiles } = await build({
  entryPoints: ['app.tsx'],
  bundle: true,
  write: false,
  jsx: 'automatic',
  minify: true,
  define: { 'process.env.NODE_ENV': '"production"', 'process.env.HAS_REACT_DOM_CLIENT': 'true', global: 'globalThis' },
  loader: { '.svg': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl', '.png': 'dataurl' },
  outdir: 'out',
  logLevel: 'warning',
});
const file = (end) => outputFiles.find(({ path }) => path.endsWith(end))?.contents ?? '';
const [script, style] = [file('.js'), file('.css')];
// As @backstage/backend-defaults makes it of helmet's, with `connect-src` of the app-config.yaml that a new portal has.
const { 'form-action': _, ...defaults } = helmet.contentSecurityPolicy.getDefaultDirectives();
const policy = {
  ...defaults,
  'script-src': ["'self'", "'unsafe-eval'"],
  'connect-src': ["'self'", 'http:', 'https:'],
  ...(process.env.STRICT ? {} : { 'frame-src': ["'self'", url] }),
};
const header = Object.entries(policy).map(([name, words]) => `${name} ${words.join(' ')}`).join(';');
const page = '<!doctype html><html lang="en"><title>A portal</title><link rel="stylesheet" href="/app.css"><div id="root"></div><script src="/app.js"></script></html>';

createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  const [type, body] = { '/app.js': ['text/javascript', script], '/app.css': ['text/css', style] }[pathname] ?? ['text/html', page];
  response.writeHead(200, { 'content-type': type, 'content-security-policy': header }).end(body);
}).listen(port, '127.0.0.1', () => {
  const query = new URLSearchParams({ url, token: process.env.FLEETGLASS_TOKEN ?? 'TOKEN', node: process.env.FLEETGLASS_NODE ?? 'eu-1' });
  console.log(`http://127.0.0.1:${port}/?${query}`);
});
