// Runs the official conformance suite's checks of an authorization server, npm `@modelcontextprotocol/conformance`: it
// prints the address at which somebody is to sign in, and waits for its callback; the browser is played by hand.
//
// node conformance.mjs ENDPOINT NAME PASSWORD
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Browser, authorize } from './browser.mjs';

const [endpoint, name, password] = process.argv.slice(2);
const program = fileURLToPath(new URL('node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url));
const { origin } = new URL(endpoint);

// A port that nobody uses at the moment.
const port = await new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

// The suite wants a client that is there. Where a server takes public clients it uses none of the secrets it is given, so
// that it can check a public client alone.
const registered = await fetch(`${origin}/register`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    client_name: 'conformance',
    redirect_uris: [`http://127.0.0.1:${port}/callback`],
    token_endpoint_auth_method: 'none',
  }),
});
const { client_id: client } = await registered.json();
assert(client, `nothing was registered: ${registered.status}`);

const options = ['--url', origin, '--client-id', client, '--resource', endpoint, '--port', String(port)];
const suite = spawn(process.execPath, [program, 'authorization', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
const ended = new Promise((done) => suite.once('exit', done));
const said = [];
suite.stderr.on('data', (text) => said.push(String(text)));
for await (const line of createInterface({ input: suite.stdout })) {
  said.push(line);
  if (!line.startsWith(`${origin}/authorize?`)) continue;
  try {
    const browser = new Browser();
    await browser.go(await authorize(browser, line, { name, password }));
  } catch (error) {
    suite.kill();
    said.push(error.stack);
  }
}
const code = await ended;
console.log(said.join('\n'));
process.exitCode = code === 0 ? 0 : 1;
