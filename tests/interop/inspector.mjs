// Uses everything that the server offers with the MCP Inspector's command line, unmodified: one process for each request,
// as somebody does who tries a server out. `--strict` reports every schema of a tool that some models could not be given.
// It checks answers against the output schemas by itself.
//
// With a name and a password in the environment it signs in first, once for all of them.
//
// [INTEROP_NAME=… INTEROP_PASSWORD=…] node inspector.mjs legacy|auto|modern URL
// node inspector.mjs legacy|auto|modern PROGRAM COMMAND    speaks to the program, which gets the settings of this environment
import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { named, useAll } from './tools.mjs';

// Where it waits for the way back: below the ports that the kernel hands out by itself, so that nobody happens to have it.
const callback = 'http://127.0.0.1:31996/oauth/callback';
const [era, target, ...more] = process.argv.slice(2);
const build = 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js';
const inspector = [fileURLToPath(new URL(build, import.meta.url)), '--cli'];
const settings = Object.entries(process.env).filter(([name]) => name.startsWith('REVIEWS__'));
const to = /^https?:/.test(target)
  ? [target, '--transport', 'http', '--callback-url', callback]
  : [target, ...more, '--transport', 'stdio', ...settings.flatMap(([name, value]) => ['-e', `${name}=${value}`])];
// It keeps what it knows in the home folder, and finds its browser there.
const home = await mkdtemp(join(tmpdir(), 'inspector-'));
const { INTEROP_NAME, INTEROP_PASSWORD, PATH } = process.env;
const open = [process.execPath, fileURLToPath(new URL('open.mjs', import.meta.url))].map((each) => `'${each}'`).join(' ');
const BROWSER = join(home, 'browser');
await writeFile(BROWSER, `#!/bin/sh\nexec ${open} "$1"\n`, { mode: 0o755 });
const keeping = { MCP_INSPECTOR_SECRET_STORE: 'file', MCP_INSPECTOR_SECRET_KEY: randomBytes(32).toString('hex') };
const env = { PATH, HOME: home, BROWSER, MCP_AUTO_OPEN_ENABLED: 'true', INTEROP_NAME, INTEROP_PASSWORD, ...keeping };

// Exit code and both outputs of one run.
const run = (method, ...options) =>
  new Promise((done) => {
    const all = [...inspector, ...to, '--protocol-era', era, '--format', 'json', '--method', method, ...options];
    execFile(process.execPath, all, { env, maxBuffer: 1 << 24 }, (error, out, err) => done({ code: error?.code ?? 0, out, err }));
  });

// The result of a request.
const ask = async (method, ...options) => {
  const { code, out, err } = await run(method, ...options);
  assert.deepEqual([code, err], [0, ''], `${method} ${options}: ${out}`);
  return JSON.parse(out).result;
};

// It, as a client of the SDK.
const client = {
  listTools: async () => {
    const { code, out, err } = await run('tools/list', '--strict');
    assert.deepEqual([code, err], [0, ''], 'it has found something');
    return JSON.parse(out).result;
  },
  callTool: async ({ name, arguments: given }) => {
    const { code, out, err } = await run('tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(given));
    // It ends with 5 after a failure of the tool.
    assert([0, 5].includes(code), `${name}: ${out}${err}`);
    const { result } = JSON.parse(out);
    assert.equal(result.isError ?? false, code === 5);
    return result;
  },
  listResources: () => ask('resources/list'),
  readResource: ({ uri }) => ask('resources/read', '--uri', uri),
  listPrompts: () => ask('prompts/list'),
  getPrompt: ({ name, arguments: given }) =>
    ask('prompts/get', '--prompt-name', name, '--prompt-args', ...Object.entries(given).map((each) => each.join('='))),
};

try {
  if (INTEROP_NAME) {
    const first = await run('initialize');
    assert(first.code === 0 && first.err.includes('Authorization complete.'), first.err);
  }
  const templates = await ask('resources/templates/list');
  assert.equal(templates.resourceTemplates[0].uriTemplate, 'report://{id}');
  const did = [`${named('@modelcontextprotocol/inspector')}, ${era}: nothing found by --strict`, await useAll(client, `inspector-${era}`)];
  console.log([...did, ...(INTEROP_NAME ? ['signed in'] : [])].join('; '));
} finally {
  await rm(home, { recursive: true });
}
