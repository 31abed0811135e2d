// A server in front of Fleetglass, for stories of the service worker: it goes away, fails, asks for a login, or has an
// older build.

import { createServer, request as ask } from 'node:http';
import { eventually } from './harness.mjs';

/** What the console says of a server that went away or fails. */
export const GONE = [/ERR_CONNECTION_REFUSED/, /ERR_CONNECTION_RESET/, /ERR_INCOMPLETE_CHUNKED_ENCODING/, /ERR_EMPTY_RESPONSE/, /502/];

const OLD = 'keep-00000000000000aa.js';
const SIGN_IN = '<!doctype html><title>Sign in</title><h1>Sign in to Acme</h1>';

/** Waits until the page's worker has all that a start needs. */
export function worker(page) {
  return eventually('the worker is there', () => page.evaluate(async () => (
    (await navigator.serviceWorker.getRegistration())?.active?.state === 'activated'
  )));
}

/** The page's worker, running. */
export async function workerOf(page) {
  await worker(page);
  return page.context().serviceWorkers()[0] ?? page.context().waitForEvent('serviceworker');
}

/**
 * What a push service would hand to the page's worker: gives `push(url, what)`, which waits until it is shown. Chromium
 * drops a notification for whose list somebody asks while it is being shown, so the list is no way to wait for it.
 */
export async function pusher(page, running) {
  await running.evaluate(() => {
    const show = self.registration.showNotification.bind(self.registration);
    self.shown = [];
    self.registration.showNotification = async (title, ...told) => {
      await show(title, ...told);
      self.shown.push(title);
    };
  });
  const session = await page.context().newCDPSession(page);
  const known = [];
  session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => known.push(...registrations));
  await session.send('ServiceWorker.enable');
  return async (url, what) => {
    const { registrationId } = await eventually('the worker is known', () => known.find(({ scopeURL }) => scopeURL.startsWith(url)));
    await session.send('ServiceWorker.deliverPushMessage', { origin: url, registrationId, data: JSON.stringify(what) });
    await eventually(`the notification ${what.title} is shown`, () => running.evaluate((title) => self.shown.includes(title), what.title));
  };
}

const html = (response, status, text) => response.writeHead(status, { 'content-type': 'text/html' }).end(text);

/** What it answers by itself in each of its modes; `true` when it did. */
const OWN = {
  new: () => false,
  old: () => false,
  away: (request) => Boolean(request.socket.destroy()),
  failing: (_, response) => Boolean(html(response, 502, '<!doctype html><h1>502 Bad Gateway</h1>')),
  silent: () => true,
  // As a proxy does that asks everybody who they are.
  login: (request, response) => Boolean(request.url === '/sign-in'
    ? html(response, 200, SIGN_IN)
    : response.writeHead(302, { location: '/sign-in' }).end()),
};

/**
 * Gives `{ url, mode, asks, leave, stop }`. `mode` is one of `OWN`; `asks(request, mode)` may say another for one request.
 */
export async function startFront(to) {
  const front = { mode: 'new', asks: (_, mode) => mode };
  const server = createServer((request, response) => {
    const mode = front.asks(request, front.mode);
    if (OWN[mode](request, response)) return;
    const isOld = mode === 'old';
    if (!isOld && request.url.endsWith(OLD)) return response.writeHead(404).end();
    const path = isOld ? request.url.replace(OLD, front.keep) : request.url;
    const headers = { ...request.headers, host: new URL(to).host };
    const text = /^\/(glance|sw\.js)?$/.test(path);
    if (text) delete headers['accept-encoding'];
    const onwards = ask(`${to}${path}`, { method: request.method, headers }, (answer) => {
      if (!text || !isOld) {
        response.writeHead(answer.statusCode, answer.headers);
        return answer.pipe(response);
      }
      let body = '';
      answer.setEncoding('utf8').on('data', (part) => { body += part; }).on('end', () => {
        const { etag, 'content-length': length, ...own } = answer.headers;
        body = body.replaceAll(front.keep, OLD).replace(/const BUILD = "\w+"/, 'const BUILD = "00000000000000aa"');
        response.writeHead(answer.statusCode, own).end(body);
      });
    });
    onwards.on('error', () => response.destroy());
    response.on('close', () => onwards.destroy());
    request.pipe(onwards);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  server.unref().on('connection', (socket) => socket.unref());
  front.keep = (await (await fetch(`${to}/`)).text()).match(/keep-[0-9a-f]+\.js/)[0];
  front.url = `http://127.0.0.1:${server.address().port}`;
  /** Changes the mode, and ends what is open. */
  front.turn = (mode) => { front.mode = mode; server.closeAllConnections(); };
  front.leave = () => front.turn('away');
  front.stop = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  return front;
}
