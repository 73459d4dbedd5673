// Runs the official conformance suite, npm `@modelcontextprotocol/conformance`, against a server: all that one revision of the
// protocol requires, except what conformance.yml says does not hold; or one scenario of it, of which nothing may fail.
//
// node conformance-server.mjs ENDPOINT REVISION binary|fixtures|SCENARIO
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [endpoint, revision, what] = process.argv.slice(2);
const program = fileURLToPath(new URL('node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
const options = ['server', '--url', endpoint];
if (['binary', 'fixtures'].includes(what)) {
  const known = readFileSync(new URL('conformance.yml', import.meta.url), 'utf8');
  const list = join(folder, 'expected.yml');
  // The suite reads the list `server` alone: for the binary, that of what it has no fixtures for belongs to it.
  writeFileSync(list, what === 'binary' ? known.replace('\nfixtures:\n', '\n') : known);
  options.push('--requirements', revision, '--expected-failures', list);
} else {
  options.push('--spec-version', revision, '--scenario', what);
}
const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...options, '-o', folder], { encoding: 'utf8' });
rmSync(folder, { recursive: true });
const summary = stdout.indexOf('=== SUMMARY ===');
console.log(stdout.slice(Math.max(summary, 0)), stderr);
process.exitCode = status ?? 1;
