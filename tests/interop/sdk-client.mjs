// Connects with npm `@modelcontextprotocol/sdk`, the TypeScript SDK's first generation that most clients are built on,
// unmodified, and uses everything that the server offers. With a name and a password it signs in first.
//
// node sdk-client.mjs ENDPOINT [NAME PASSWORD]
import { strict as assert } from 'node:assert';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Provider } from './provider.mjs';
import { named, useAll } from './tools.mjs';

const [endpoint, name, password] = process.argv.slice(2);
const authProvider = name && new Provider(name, password);

const connect = async () => {
  const client = new Client({ name: 'interop', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL(endpoint), { authProvider });
  try {
    await client.connect(transport);
    return client;
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await transport.finishAuth(authProvider.back.get('code'));
    return connect();
  }
};

const client = await connect();
const did = [await useAll(client, `sdk-${name ?? 'nobody'}`)];
if (authProvider) {
  assert.deepEqual([authProvider.asked.length, authProvider.saved.length], [1, 1]);
  authProvider.drop();
  await client.listTools();
  assert.deepEqual([authProvider.asked.length, authProvider.saved.length], [1, 2], 'it did not refresh by itself');
  did.push('signed in, refreshed');
}
console.log(`${named('@modelcontextprotocol/sdk')}: ${did.join('; ')}`);
await client.close();
