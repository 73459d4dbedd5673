// Connects with the TypeScript SDK's client, unmodified, lists the tools and calls every one of them.
//
// node typescript-client.mjs ENDPOINT legacy|auto|VERSION
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { callAll } from './tools.mjs';

const [endpoint, mode] = process.argv.slice(2);
const versionNegotiation = { mode: ['legacy', 'auto'].includes(mode) ? mode : { pin: mode } };
const client = new Client({ name: 'interop', version: '1.0.0' }, { versionNegotiation });
await client.connect(new StreamableHTTPClientTransport(new URL(endpoint)));

const { called, report } = await callAll(client, mode);

const refused = await client.callTool({ name: 'get_place', arguments: { place_id: 'bad' } });
if (!refused.isError || refused._meta['google-reviews/error'].status !== 422) throw new Error('a bad argument was not told');

const { resources } = await client.listResources();
if (!resources.some((resource) => resource.uri === report.uri)) throw new Error('the report is not listed');
const { contents } = await client.readResource({ uri: report.uri });
if (!contents[0].text.startsWith('# Report')) throw new Error('the report cannot be read as a resource');

console.log(`mode ${mode}: called ${called.join(', ')}`);
await client.close();
