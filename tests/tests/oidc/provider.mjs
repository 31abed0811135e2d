// A conforming OpenID provider for the stories of signing in: `oidc-provider` with its own forms. Says `ready` when it
// listens. Arguments: the folder of node modules, the port, the redirect URL, where people go who signed out.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// It says much; the story reads one line of it.
console.info = console.warn = () => {};

const [modules, port, redirect, left] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(join(modules, 'oidc-provider/lib/index.js')));

// Keys of this run: one that comes later has others.
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };

const GROUPS = { ada: ['acme', 'staff'], root: ['root'], guest: ['staff'] };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'fleetglass',
      client_secret: 'a-secret-of-the-stories',
      redirect_uris: [redirect],
      post_logout_redirect_uris: [left],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  jwks: { keys: [key] },
  scopes: ['openid', 'profile', 'groups'],
  claims: { openid: ['sub'], profile: ['preferred_username'], groups: ['groups'] },
  pkce: { required: () => true },
  findAccount: async (_, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, preferred_username: id, groups: GROUPS[id] ?? [] }),
  }),
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
