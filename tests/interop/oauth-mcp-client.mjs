// Signs in with the TypeScript SDK's client, unmodified, in its two eras: it finds the authorization server, registers,
// sends its user there, calls every tool, refreshes by itself, and asks for more when a tool needs more.
//
// node oauth-mcp-client.mjs ENDPOINT NAME PASSWORD
import { strict as assert } from 'node:assert';
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { Provider } from './provider.mjs';
import { callAll, calls, named } from './tools.mjs';

const [endpoint, name, password] = process.argv.slice(2);

// Does it; where the user is sent to sign in first, completes that and does it again.
const signedIn = async (provider, transport, action) => {
  try {
    return await action(transport());
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    const next = transport();
    await next.finishAuth(provider.back);
    return action(next);
  }
};

const connect = async (provider, mode) => {
  const versionNegotiation = { mode: mode === 'legacy' ? mode : { pin: mode } };
  const transport = () => new StreamableHTTPClientTransport(new URL(endpoint), { authProvider: provider });
  return signedIn(provider, transport, async (opened) => {
    const client = new Client({ name: 'interop', version: '1.0.0' }, { versionNegotiation });
    await client.connect(opened);
    return client;
  });
};

for (const mode of ['legacy', '2026-07-28']) {
  const provider = new Provider(name, password);
  const client = await connect(provider, mode);
  assert.deepEqual(provider.granted(), ['offline_access', 'reports:write', 'reviews:read']);
  const { called } = await callAll(client, `oauth-${mode}`);
  assert.deepEqual([provider.asked.length, provider.saved.length], [1, 1]);

  const first = provider.tokens();
  provider.drop();
  await client.listTools({}, { cacheMode: 'bypass' });
  assert.deepEqual([provider.asked.length, provider.saved.length], [1, 2], 'it did not refresh by itself');
  assert.notEqual(provider.tokens().access_token, first.access_token);
  assert.notEqual(provider.tokens().refresh_token, first.refresh_token);
  await client.close();

  // Somebody grants less than was asked for, and more when it is needed.
  const careful = new Provider(name, password);
  careful.unticked = ['reports:write'];
  const limited = await connect(careful, mode);
  assert.deepEqual(careful.granted(), ['offline_access', 'reviews:read']);
  const call = { name: 'create_report', arguments: calls(`step-up-${mode}`).create_report };
  careful.unticked = [];
  await assert.rejects(limited.callTool(call), UnauthorizedError, 'it did not ask again');
  assert.deepEqual(careful.asked.at(-1).sort(), ['offline_access', 'reports:write', 'reviews:read']);
  await limited.transport.finishAuth(careful.back);
  assert.deepEqual(careful.granted(), ['offline_access', 'reports:write', 'reviews:read']);
  const report = await limited.callTool(call);
  assert.equal(report.isError ?? false, false, JSON.stringify(report));
  await limited.close();
  console.log(`${named('@modelcontextprotocol/client')}, ${mode}: called ${called.join(', ')}; refreshed; asked again for reports:write`);
}
