// Connects with npm `mcp-remote`, which makes a server of this machine out of a server elsewhere, for applications that
// know no others: its own registration, its own loopback callback, the browser that it opens (played by hand), then MCP
// on its standard input and output. Started again, in the other era, it must still be signed in.
//
// node mcp-remote.mjs ENDPOINT NAME PASSWORD
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Browser, authorize } from './browser.mjs';
import { calls } from './tools.mjs';

const [endpoint, name, password] = process.argv.slice(2);
const program = fileURLToPath(new URL('node_modules/mcp-remote/dist/proxy.js', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'mcp-remote-'));
const opened = join(folder, 'opened');

// What `mcp-remote` finds when it looks for a browser. Without a display it looks nowhere else.
const opener = join(folder, 'browser');
await writeFile(opener, `#!/bin/sh\nprintf '%s\\n' "$1" >>'${opened}'\n`, { mode: 0o755 });
const environment = { PATH: process.env.PATH, HOME: folder, MCP_REMOTE_CONFIG_DIR: join(folder, 'kept'), BROWSER: opener };

// The addresses that were to be shown to its user.
const shown = async () => (await readFile(opened, 'utf8').catch(() => '')).split('\n').filter(Boolean);

// A running `mcp-remote`.
class Remote {
  #child;
  #errors = '';
  #waiting = new Map();
  #id = 0;
  #over = false;

  constructor(...options) {
    this.#child = spawn(process.execPath, [program, endpoint, ...options], { env: environment });
    this.#child.stderr.on('data', (text) => (this.#errors += text));
    this.#child.on('exit', () => {
      this.#over = true;
      for (const { reject } of this.#waiting.values()) reject(this.fault('it ended'));
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const { id, result, error } = JSON.parse(line);
      const asked = this.#waiting.get(id);
      if (error) asked?.reject(this.fault(JSON.stringify(error)));
      else asked?.resolve(result);
    });
  }

  fault(what) {
    return new Error(`mcp-remote: ${what}: ${this.#errors}`);
  }

  get isOver() {
    return this.#over;
  }

  tell(method, params = {}) {
    this.#child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method, params })}\n`);
  }

  ask(method, params = {}) {
    const id = (this.#id += 1);
    this.#child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async end() {
    if (this.#over) return;
    const ended = new Promise((done) => this.#child.once('exit', done));
    this.#child.kill();
    await ended;
  }
}

// Signs in where `mcp-remote` asks for it, and leads the browser back to it.
const signIn = async (remote) => {
  for (let tries = 0; (await shown()).length === 0; tries += 1) {
    if (remote.isOver || tries > 300) throw remote.fault('it opened no browser');
    await wait(100);
  }
  const browser = new Browser();
  const back = await authorize(browser, (await shown())[0], { name, password });
  const page = await browser.go(back);
  if (page.status !== 200) throw remote.fault(`its callback answers ${page.status}: ${page.text}`);
};

const initialize = async (remote) => {
  const clientInfo = { name: 'interop', version: '1.0.0' };
  const { serverInfo } = await remote.ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
  remote.tell('notifications/initialized');
  return serverInfo;
};

let remote;
try {
  remote = new Remote();
  const connected = initialize(remote);
  await Promise.race([connected, signIn(remote)]);
  await connected;
  assert.equal((await shown()).length, 1, 'it asked for no sign-in, or for more than one');
  const known = calls('mcp-remote');
  const { tools } = await remote.ask('tools/list');
  const called = [];
  for (const tool of tools) {
    const result = await remote.ask('tools/call', { name: tool.name, arguments: known[tool.name] });
    assert.equal(result.isError ?? false, false, JSON.stringify(result));
    if (tool.name === 'create_report') known.get_report.report_id = result.structuredContent.report_id;
    called.push(tool.name);
  }
  await remote.end();

  remote = new Remote('--protocol', 'auto');
  await initialize(remote);
  const again = await remote.ask('tools/list');
  assert.deepEqual(again.tools.map((tool) => tool.name), called);
  assert.equal((await shown()).length, 1, 'it asked for a second sign-in');
  console.log(`called ${called.join(', ')}; started again without a sign-in`);
} finally {
  await remote?.end();
  await rm(folder, { recursive: true, force: true });
}
