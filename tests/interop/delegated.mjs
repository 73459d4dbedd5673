// Connects a client in a real browser, whose user signs in at a provider outside (login-provider.mjs), and calls a tool with what the
// client gets. Then with an account that may not sign in, and with somebody who changes their mind there.
//
// node delegated.mjs BASE [FOLDER for pictures]
import { strict as assert } from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { inspect, launch, looks, picture } from './look.mjs';

const [base, pictures] = process.argv.slice(2);
const origin = new URL(base).origin;
const faults = [];

// A client of this machine.
const arrived = [];
const client = createServer((request, response) => {
  arrived.push(new URL(request.url, `http://${request.headers.host}`));
  response.setHeader('content-type', 'text/html');
  response.end('<!doctype html><title>Back</title><link rel="icon" href="data:,">You may close this page.');
});
await new Promise((ready) => client.listen(0, '127.0.0.1', ready));
const redirect = `http://127.0.0.1:${client.address().port}/callback`;

const register = async () => {
  const response = await fetch(`${origin}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'A client', redirect_uris: [redirect], token_endpoint_auth_method: 'none' }),
  });
  assert.equal(response.status, 201);
  return (await response.json()).client_id;
};

const begin = (id) => {
  const [verifier, state] = [randomBytes(32).toString('base64url'), randomBytes(16).toString('base64url')];
  const address = new URL('/authorize', origin);
  address.search = new URLSearchParams({
    response_type: 'code',
    client_id: id,
    redirect_uri: redirect,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    scope: 'reviews:read reports:write',
    state,
    resource: `${origin}/mcp`,
  });
  return { address: address.href, verifier, state };
};

const exchange = async (id, { verifier, state }) => {
  const back = arrived.shift();
  assert(back && back.searchParams.get('state') === state, 'nobody came back');
  assert.equal(back.searchParams.get('iss'), origin);
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: id,
    code: back.searchParams.get('code'),
    redirect_uri: redirect,
    code_verifier: verifier,
    resource: `${origin}/mcp`,
  });
  const response = await fetch(`${origin}/token`, { method: 'POST', body });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()).access_token;
};

const callTool = async (token) => {
  const response = await fetch(`${origin}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'search_places', arguments: { query: 'bakery' } },
    }),
  });
  const { result } = await response.json();
  assert.equal(result?.isError, false, JSON.stringify(result));
  return result.structuredContent.places.length;
};

const path = (page) => new URL(page.url()).pathname;
const press = async (page, what) => {
  await Promise.all([page.waitForEvent('load'), page.locator(what).first().click()]);
};

// What is wrong with the page that is shown, in every look.
const look = async (page, what) => {
  for (const { name, viewport, colorScheme } of looks) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    faults.push(...(await page.evaluate(inspect)).found.map((fault) => `${what}, ${name}: ${fault}`));
    await picture(page, pictures, `${what}-${name}`);
  }
};

// From a client to the pages of the provider; there are other fonts on them, which nobody needs.
const leave = async (browser, begun) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on('console', (message) => {
    if (new URL(page.url()).origin === origin && message.type() === 'error' && !/status of 4\d\d/.test(message.text())) {
      faults.push(`console: ${message.text()}`);
    }
  });
  await page.goto(begun.address);
  assert.equal(path(page), '/login');
  await look(page, 'login');
  await press(page, 'a.button');
  assert.match(path(page), /^\/interaction\//, `at ${page.url()}`);
  assert.notEqual(new URL(page.url()).origin, origin);
  return page;
};

const signIn = async (page, address) => {
  await page.locator('input[name="login"]').fill(address);
  await page.locator('input[name="password"]').fill('anything');
  await press(page, 'button[type="submit"]');
  // What this server may know of them.
  if (path(page).startsWith('/interaction/')) await press(page, 'button[type="submit"]');
};

const browser = await launch('--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1');
try {
  const id = await register();
  const begun = begin(id);
  const page = await leave(browser, begun);
  await signIn(page, 'Ada@example.com');
  assert.equal(path(page), '/consent', `at ${page.url()}: ${await page.locator('body').textContent()}`);
  assert((await page.locator('main').textContent()).includes('ada@example.com'), 'who is signed in is not said');
  await press(page, 'button[name="decision"][value="allow"]');
  await page.waitForURL(`${redirect}?**`);
  const places = await callTool(await exchange(id, begun));
  console.log(`signed in at the provider, connected, found ${places} places`);

  // The provider knows them still: the next client is connected with two clicks.
  const again = begin(await register());
  await page.context().clearCookies({ name: '__Host-session' });
  await page.goto(again.address);
  await press(page, 'a.button');
  assert.equal(path(page), '/consent', `at ${page.url()}`);
  console.log('signed in again without a question');
  await page.context().close();

  const stranger = await leave(browser, begin(id));
  await signIn(stranger, 'eve@evil.example');
  assert.equal(path(stranger), '/login/callback');
  await look(stranger, 'not-allowed');
  assert((await stranger.locator('main').textContent()).includes('eve@evil.example is not on the list'));
  console.log('somebody else may not sign in');
  await stranger.context().close();

  const undecided = await leave(browser, begin(id));
  await press(undecided, 'a[href$="/abort"]');
  assert.equal(path(undecided), '/login/callback', `at ${undecided.url()}`);
  await look(undecided, 'declined');
  await press(undecided, 'main a');
  assert.equal(path(undecided), '/login');
  assert((await undecided.locator('main').textContent()).includes('A client'), 'the way back has lost the client');
  console.log('somebody changed their mind, and came back');
} catch (error) {
  faults.push(error.stack);
}
await browser.close();
client.close();
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
