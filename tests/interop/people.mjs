// Goes through everything that a person does at the authorization server, in a real browser: chooses a password, signs in,
// is sent there by clients, grants less than they ask for, sees what is connected, and ends it. On a phone and at a desk,
// in light and in dark, with script and without.
//
// node people.mjs BASE SETUP_LINK [FOLDER for pictures]
import { strict as assert } from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { inspect, launch, looks, picture, tab } from './look.mjs';

const [base, link, pictures] = process.argv.slice(2);
const origin = new URL(base).origin;
const person = { name: 'ada', password: 'moonlit bakery at five in the morning' };
const scopes = ['reviews:read', 'reports:write', 'offline_access'];
const elsewhere = 'https://client.example/cb';
// What Cursor registers, all in one request.
const cursor = [
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'https://www.cursor.com/agents/mcp/oauth/callback',
  'http://localhost:8787/callback',
];
const faults = [];
const seen = [];

// A client of this machine: whoever is sent back to it, it remembers with what.
const arrived = [];
const client = createServer((request, response) => {
  const url = new URL(request.url, `http://${request.headers.host}`);
  // As sites do that serve applications: the code goes on to the application.
  if (url.pathname === '/lead-on') return response.writeHead(302, { location: `${elsewhere}${url.search}` }).end();
  arrived.push(url);
  response.setHeader('content-type', 'text/html');
  return response.end('<!doctype html><title>Back</title><link rel="icon" href="data:,">Signed in. You may close this page.');
});
await new Promise((ready) => client.listen(0, '127.0.0.1', ready));
const callback = `http://127.0.0.1:${client.address().port}/callback`;
const leadOn = `http://127.0.0.1:${client.address().port}/lead-on`;

const post = (path, body) => fetch(`${origin}${path}`, { method: 'POST', body });

const register = async (name, redirects) => {
  const response = await fetch(`${origin}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: name,
      redirect_uris: redirects,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }),
  });
  assert.equal(response.status, 201, `${name} is not registered: ${await response.clone().text()}`);
  return (await response.json()).client_id;
};

// A sign-in that a client begins: the address to which it sends its user, and what it keeps.
const begin = (id, redirect) => {
  const [verifier, state] = [randomBytes(32).toString('base64url'), randomBytes(16).toString('base64url')];
  const address = new URL('/authorize', origin);
  address.search = new URLSearchParams({
    response_type: 'code',
    client_id: id,
    redirect_uri: redirect,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    scope: scopes.join(' '),
    state,
    resource: `${origin}/mcp`,
  });
  return { address: address.href, id, redirect, verifier, state };
};

const token = async (begun, fields) => {
  const body = new URLSearchParams({ client_id: begun.id, resource: `${origin}/mcp`, ...fields });
  const response = await post('/token', body);
  return { status: response.status, ...(await response.json()) };
};

// One browser of somebody, who begins as nobody.
class Visit {
  static async of(browser, name, options) {
    const context = await browser.newContext(options);
    await context.route('https://client.example/**', (route) => route.fulfill({ body: 'Back at the client.' }));
    return new Visit(name, context, await context.newPage());
  }

  constructor(name, context, page) {
    Object.assign(this, { name, context, page, asked: [], isOutside: false });
    page.on('console', (message) => {
      // That is how a page with such a status is told of.
      const isStatus = /^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
      if (!isStatus || message.location().url !== page.url()) this.fault(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.fault(`script: ${error}`));
    page.on('request', (request) => this.asked.push(request.url()));
    page.on('requestfailed', (request) => {
      if (!this.isOutside) this.fault(`not loaded: ${request.url()}: ${request.failure().errorText}`);
    });
  }

  fault(what) {
    faults.push(`${this.name}: ${new URL(this.page.url()).pathname}: ${what}`);
  }

  // Opens an address, and expects to be shown the page at this path.
  async open(address, path, statuses = [200]) {
    const response = await this.page.goto(address);
    this.expect(path);
    if (!statuses.includes(response.status())) this.fault(`status ${response.status()} and not ${statuses}`);
  }

  expect(path) {
    const { pathname } = new URL(this.page.url());
    assert.equal(pathname, path, `${this.name}: at ${this.page.url()}`);
  }

  // Looks at the page that is shown.
  async look(what) {
    const { found, smallest } = await this.page.evaluate(inspect);
    await picture(this.page, pictures, `${what}-${this.name}`);
    found.push(...(await tab(this.page)));
    for (const fault of found) faults.push(`${this.name}: ${what}: ${fault}`);
    for (const url of this.asked.splice(0)) {
      if (!url.startsWith(`${origin}/`) && !url.startsWith('data:') && !url.startsWith(callback)) this.fault(`asks ${url}`);
    }
    this.smallest = Math.min(this.smallest ?? Infinity, smallest);
    if (!seen.includes(what)) seen.push(what);
  }

  async fill(fields) {
    for (const [name, value] of Object.entries(fields)) await this.page.locator(`input[name="${name}"]`).fill(value);
  }

  // Presses a button, and waits for what comes of it.
  async press(button, path) {
    await Promise.all([this.page.waitForEvent('load'), button.click()]);
    if (path) this.expect(path);
  }

  async signIn(path) {
    await this.fill(person);
    // As most people do who have just typed a password.
    await Promise.all([this.page.waitForEvent('load'), this.page.keyboard.press('Enter')]);
    if (path) this.expect(path);
  }

  signOut() {
    return this.press(this.page.locator('form[action="/logout"] button').first(), '/login');
  }

  decide(decision) {
    return this.press(this.page.locator(`button[name="decision"][value="${decision}"]`));
  }

  // What came back to the client of this machine.
  async back(begun) {
    await this.page.waitForURL(`${callback}?**`).catch(() => {});
    const url = arrived.shift();
    assert(url && arrived.length === 0, `${this.name}: nobody came back, but stands at ${this.page.url()}`);
    assert.equal(url.pathname, '/callback');
    assert.equal(url.searchParams.get('iss'), origin);
    assert.equal(url.searchParams.get('state'), begun.state);
    return url.searchParams;
  }

  async end() {
    await this.context.close();
  }
}

// The first person's link, seen in every look before it is used.
const setUp = async (browser) => {
  const address = new URL(link, origin).href;
  for (const { name, ...shown } of looks) {
    const visit = await Visit.of(browser, name, shown);
    await visit.open(address, '/setup');
    await visit.look('setup');
    await visit.end();
  }
  const visit = await Visit.of(browser, 'setup', {});
  await visit.open(address, '/setup');
  await visit.fill({ ...person, repeated: person.password });
  await visit.press(visit.page.locator('form[action="/setup"] button').first(), '/connections');
  await visit.signOut();
  await visit.end();
};

// Pages that nobody wants to see.
const goWrong = async (visit) => {
  const nobody = begin('grc_nobody', callback);
  await visit.open(nobody.address, '/authorize', [400]);
  await visit.look('unknown-client');
  await visit.open(new URL(link, origin).href, '/setup', [400, 404, 410]);
  await visit.look('used-link');
  await visit.open(`${origin}/login`, '/login');
  await visit.look('login');
  await visit.fill({ name: `nobody-${visit.name}`, password: 'wrong' });
  await visit.press(visit.page.locator('form[action="/login"] button').first(), '/login');
  await visit.look('login-wrong');
};

// A client is connected with less than it asks for, is seen among the connections, and is disconnected.
const connect = async (visit) => {
  const name = `Client of ${visit.name}`;
  const begun = begin(await register(name, [callback]), callback);
  await visit.open(begun.address, '/login');
  await visit.signIn('/consent');
  await visit.look('consent');
  const said = await visit.page.locator('main').textContent();
  for (const wanted of [name, '127.0.0.1']) if (!said.includes(wanted)) visit.fault(`${wanted} is not named`);
  for (const scope of scopes) assert(await visit.page.locator(`input[name="scope.${scope}"]`).isChecked(), scope);
  await visit.page.locator('input[name="scope.reports:write"]').uncheck();
  await visit.decide('allow');
  const code = (await visit.back(begun)).get('code');
  const exchange = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: begun.verifier };
  const tokens = await token(begun, exchange);
  assert.equal(tokens.status, 200, JSON.stringify(tokens));
  assert.deepEqual(tokens.scope.split(' ').sort(), ['offline_access', 'reviews:read']);

  await visit.open(`${origin}/connections`, '/connections');
  await visit.look('connections');
  const mine = visit.page.locator('form', { has: visit.page.locator(`[name="revoke"][value="${begun.id}"]`) });
  assert((await visit.page.locator('main').textContent()).includes(name), `${name} is not among the connections`);
  await visit.press(mine.locator('button'), '/connections');
  assert.equal(await mine.count(), 0, 'the connection is still there');
  const refused = await token(begun, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
  assert.deepEqual([refused.status, refused.error], [400, 'invalid_grant']);
};

const refuse = async (visit) => {
  const begun = begin(await register(`Refused by ${visit.name}`, [callback]), callback);
  await visit.open(begun.address, '/consent');
  await visit.decide('deny');
  const back = await visit.back(begun);
  assert.deepEqual([back.get('error'), back.has('code')], ['access_denied', false]);
};

// To a client elsewhere, and to where that leads on to, the policy of the page lets the browser go.
const leave = async (visit, id, redirect, end) => {
  const begun = begin(id, redirect);
  visit.isOutside = true;
  // Where an address is none of the web's, the browser tells of no request: what it was answered tells.
  const answered = [];
  const network = await visit.context.newCDPSession(visit.page);
  await network.send('Network.enable');
  network.on('Network.responseReceivedExtraInfo', ({ headers }) => answered.push(headers.location ?? headers.Location ?? ''));
  await visit.page.goto(begun.address).catch(() => {});
  const left = () => [...visit.asked, ...(/^https?:/.test(end) ? [] : answered)].find((url) => url.startsWith(`${end}?`));
  if (new URL(visit.page.url()).pathname === '/login') {
    await visit.fill(person);
    await visit.page.keyboard.press('Enter', { noWaitAfter: true });
    await visit.page.waitForURL((url) => url.pathname !== '/login').catch(() => {});
  }
  if (new URL(visit.page.url()).pathname === '/consent') {
    await visit.page.locator('button[name="decision"][value="allow"]').click({ noWaitAfter: true });
  }
  for (let tries = 0; !left() && tries < 50; tries += 1) await visit.page.waitForTimeout(100);
  // A fault of the policy is told on the console a little later.
  await visit.page.waitForTimeout(300);
  assert(left(), `${visit.name}: the browser does not go to ${end}, but stands at ${visit.page.url()}`);
  const back = new URL(left()).searchParams;
  assert.deepEqual([back.has('code'), back.get('iss'), back.get('state')], [true, origin, begun.state]);
};

// No name but those of this machine is looked up.
const browser = await launch('--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost');
try {
  await setUp(browser);
  const passes = [...looks, { ...looks[0], name: `${looks[0].name}-without-script`, javaScriptEnabled: false }];
  for (const { name, ...shown } of passes) {
    const visit = await Visit.of(browser, name, shown);
    await goWrong(visit);
    await visit.open(`${origin}/connections`, '/login');
    await visit.signIn('/connections');
    await visit.look('no-connections');
    await visit.signOut();
    await connect(visit);
    await refuse(visit);
    await visit.end();
    console.log(`${name}: ${seen.length} pages, contrast at least ${visit.smallest.toFixed(1)}`);
  }
  for (const [name, redirects, end] of [
    ['an https client', [elsewhere], elsewhere],
    ['a client that leads on', [leadOn], elsewhere],
    ['Cursor', cursor, cursor[0]],
  ]) {
    const [id, before] = [await register(name, redirects), faults.length];
    // The second time its user is signed in by the form that leads there, and has allowed it before.
    for (const time of ['first', 'second']) {
      const visit = await Visit.of(browser, `${name}, the ${time} time`, {});
      await leave(visit, id, redirects[0], end).catch((error) => visit.fault(error.message));
      await visit.end();
    }
    if (faults.length === before) console.log(`${name}: goes to ${end}`);
  }
} catch (error) {
  faults.push(error.stack);
}
await browser.close();
client.close();
console.log(`pages: ${seen.join(', ')}`);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
