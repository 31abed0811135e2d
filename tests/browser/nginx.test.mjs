// The way to us, in a browser: behind the system's nginx under a path, and over TLS and HTTP/2 of our own.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { eventually, live, openBrowser, openPage, row, startNode, startServe } from './harness.mjs';

// The certificates are made here, and nobody vouches for them.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
process.removeAllListeners('warning');

const SCRAPE = '[scrape]\ninterval = "500ms"\ntimeout = "500ms"\n';
const well = '{"status":"ok","peer_count":5}';
const ill = { status: 503, body: '{"status":"unhealthy","peer_count":4}' };

let browser;
let node;

before(async () => {
  [browser, node] = await Promise.all([
    openBrowser(),
    startNode({ '/health': well, '/metrics': { type: 'text/plain', body: 'go_goroutines 12\n' } }),
  ]);
});

after(() => Promise.all([browser?.close(), node?.stop()]));

const target = () => `[[target]]\nid = "eu-1"\nfamily = "generic"\nurl = "${node.url}"\n`;

/** A certificate for localhost and its key, as files of a folder. */
function makeCertificate(folder, name) {
  const [cert, key] = ['cert', 'key'].map((part) => join(folder, `${name}.${part}.pem`));
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', key, '-out', cert, '-days', '90', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']);
  assert.equal(made.status, 0, `openssl: ${made.error ?? made.stderr}`);
  return { cert, key };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

/** nginx with TLS that has `to` under `/fleet/` and nothing anywhere else. */
async function startNginx(to, more = '') {
  const folder = mkdtempSync(join(tmpdir(), 'fleetglass-nginx-'));
  const { cert, key } = makeCertificate(folder, 'nginx');
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((part) => `${part}_temp_path ${folder}/${part};`).join(' ');
  writeFileSync(join(folder, 'nginx.conf'), `
    user root root; daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 512; }
    http {
      access_log off; ${temporary}
      server {
        listen 127.0.0.1:${port} ssl http2;
        ssl_certificate ${cert}; ssl_certificate_key ${key};
        location /fleet/ {
          proxy_pass ${to};
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_set_header Host $host;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          proxy_set_header X-Forwarded-Proto $scheme;
          proxy_set_header X-Forwarded-Host $http_host;
          proxy_set_header Forwarded "";
          ${more}
        }
        location / { return 418; }
      }
    }`);
  const child = spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], {
    stdio: 'ignore',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  const reap = () => child.kill('SIGTERM');
  process.on('exit', reap);
  // A story that fails half way ends all the same.
  child.unref();
  const url = `https://127.0.0.1:${port}`;
  await eventually('nginx is there', async () => (await fetch(`${url}/`)).status === 418);
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  return {
    url,
    stop: async () => {
      process.off('exit', reap);
      child.ref();
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

const withStatus = (page, words) => row(page, 'eu-1').filter({ hasText: words });

/** Fails when anything was asked elsewhere than under the path, or without TLS. */
function assertUnder(page, under) {
  const strays = page.asked.filter((url) => !url.startsWith(under) && !url.startsWith('data:'));
  assert.deepEqual(strays, [], `something was asked elsewhere than under ${under}`);
}

for (const { what, server, rest, more } of [
  { what: 'that takes the path away', server: '', rest: '/', more: 'proxy_set_header X-Forwarded-Prefix /fleet;' },
  { what: 'that leaves the path as it is', server: 'base_path = "/fleet/"\n', rest: '', more: '' },
]) {
  test(`the app works under a path of an nginx ${what}`, async () => {
    node.pages['/health'] = well;
    const serve = await startServe(`trusted_proxies = ["127.0.0.1"]\n${server}${SCRAPE}${target()}`);
    const nginx = await startNginx(`${new URL(serve.url).origin}${rest}`, more);
    const under = `${nginx.url}/fleet/`;
    const page = await openPage(browser, `${nginx.url}/fleet`, { ignoreHTTPSErrors: true });
    assert.equal(page.url(), under, 'it leads to the path with its slash');
    page.asked.splice(0, 1);
    await live(page);
    await withStatus(page, 'healthy').waitFor();
    node.pages['/health'] = ill;
    await withStatus(page, /unhealthy/i).waitFor();
    assert.equal(page.asked.filter((url) => url.endsWith('/api/v1/live')).length, 1, 'by the one stream');

    await row(page, 'eu-1').getByRole('link').first().click();
    await page.waitForURL(`${under}nodes/eu-1`);
    await page.getByRole('heading', { level: 1, name: 'eu-1' }).waitFor();
    await page.getByRole('heading', { name: 'Endpoints' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'eu-1' }).waitFor();
    const chart = page.locator('.chart', { hasText: 'Goroutines' });
    await chart.scrollIntoViewIfNeeded();
    await chart.locator('canvas').first().waitFor();
    for (const name of ['Risks', 'Alerts', 'Rules', 'Timeline']) {
      await page.getByRole('navigation').getByRole('link', { name }).click();
      await page.waitForURL(`${under}${name.toLowerCase()}*`);
      await page.getByRole('heading', { level: 1, name }).waitFor();
    }
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Rules' }).waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Fleet' }).click();
    await page.waitForURL(under);
    await live(page);
    // The icon of the tab follows the alerts.
    const icon = await page.locator('link[rel~=icon]').getAttribute('href');
    assert.ok(icon.startsWith('/fleet/'), icon);
    assertUnder(page, under);
    await page.done();

    const scope = { select: ['{instance="eu-1"}'], views: ['fleet', 'node', 'charts'] };
    const made = await fetch(`${under}api/v1/shares`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'For Acme', by: 'Ada', scope }),
    });
    const { path } = await made.json();
    assert.ok(path.startsWith('/fleet/s/'), path);
    const shared = await openPage(browser, `${nginx.url}${path}`, { ignoreHTTPSErrors: true });
    await live(shared);
    await shared.getByText('For Acme: read-only, shared by Ada').waitFor();
    await withStatus(shared, /unhealthy/i).waitFor();
    node.pages['/health'] = well;
    await withStatus(shared, /^(?!.*unhealthy).*healthy/is).waitFor();
    await row(shared, 'eu-1').getByRole('link').first().click();
    await shared.waitForURL(`${nginx.url}${path}nodes/eu-1`);
    await shared.getByRole('heading', { name: 'Endpoints' }).waitFor();
    await shared.reload();
    await shared.getByRole('heading', { name: 'Endpoints' }).waitFor();
    assertUnder(shared, under);
    const asked = shared.asked.filter((url) => url.includes('/api/'));
    assert.ok(asked.length > 2 && asked.every((url) => url.startsWith(`${nginx.url}${path}api/`)), asked.join('\n'));
    await shared.done();
    await Promise.all([nginx.stop(), serve.stop()]);
  });
}

/** The name that the certificate shown at a URL is made out for. */
function shownBy(url) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: new URL(url).port, servername: 'localhost', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.end();
    });
    socket.on('error', reject);
  });
}

test('TLS of our own speaks HTTP/2, and a new certificate disturbs nobody', async () => {
  node.pages['/health'] = well;
  const made = mkdtempSync(join(tmpdir(), 'fleetglass-tls-'));
  const [first, second] = ['first', 'second'].map((name) => makeCertificate(made, name));
  const files = { 'cert.pem': readFileSync(first.cert, 'utf8'), 'key.pem': readFileSync(first.key, 'utf8') };
  const tls = '[server.tls]\ncert_file = "cert.pem"\nkey_file = "key.pem"\n';
  const serve = await startServe(`${tls}${SCRAPE}${target()}`, { files });
  const page = await openPage(browser, serve.url, { ignoreHTTPSErrors: true });
  await live(page);
  await withStatus(page, 'healthy').waitFor();
  const protocols = await page.evaluate(() => performance.getEntriesByType('navigation')
    .concat(performance.getEntriesByType('resource')).map(({ nextHopProtocol }) => nextHopProtocol).filter(Boolean));
  assert.ok(protocols.length > 5 && protocols.every((protocol) => protocol === 'h2'), protocols.join());

  assert.equal(await shownBy(serve.url), 'first');
  renameSync(second.key, join(serve.folder, 'key.pem'));
  renameSync(second.cert, join(serve.folder, 'cert.pem'));
  await eventually('the second is shown', async () => (await shownBy(serve.url)) === 'second');
  node.pages['/health'] = ill;
  await withStatus(page, /unhealthy/i).waitFor();
  assert.equal(page.asked.filter((url) => url.endsWith('/api/v1/live')).length, 1, 'the stream was never begun anew');
  assertUnder(page, `${serve.url}/`);
  await page.done();
  await serve.stop();
  rmSync(made, { recursive: true });
});
