// Connects with the TypeScript SDK's client, unmodified, and uses everything that the server offers.
//
// node typescript-client.mjs legacy|auto|VERSION ENDPOINT
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { named, useAll } from './tools.mjs';

const [mode, endpoint] = process.argv.slice(2);
const versionNegotiation = { mode: ['legacy', 'auto'].includes(mode) ? mode : { pin: mode } };
const client = new Client({ name: 'interop', version: '1.0.0' }, { versionNegotiation });
await client.connect(new StreamableHTTPClientTransport(new URL(endpoint)));
console.log(`${named('@modelcontextprotocol/client')}, ${mode}: ${await useAll(client, mode)}`);
await client.close();
