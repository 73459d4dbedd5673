// Connects with the TypeScript SDK's client, unmodified, lists the tools and calls every one of them.
//
// node typescript-client.mjs ENDPOINT legacy|auto|VERSION
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [endpoint, mode] = process.argv.slice(2);
const versionNegotiation = { mode: ['legacy', 'auto'].includes(mode) ? mode : { pin: mode } };
const client = new Client({ name: 'interop', version: '1.0.0' }, { versionNegotiation });
await client.connect(new StreamableHTTPClientTransport(new URL(endpoint)));

const bakery = 'ChIJdemo_moonlit_bakery_001';
const calls = {
  search_places: { query: 'bakery', limit: 3 },
  get_place: { place_id: bakery },
  get_reviews: { place_id: bakery, response_format: 'detailed' },
  analyze_reviews: { place_id: bakery },
  compare_places: { place_ids: [bakery, 'ChIJdemo_crack_and_mend_001'] },
  create_report: { place_ids: [bakery], title: 'One place', request_id: `interop ${mode}`.replace(' ', '-') },
  get_report: {},
};
let report;

const { tools } = await client.listTools();
const called = [];
for (const tool of tools) {
  if (!(tool.name in calls)) throw new Error(`no call is known for ${tool.name}`);
  if (tool.name === 'get_report') calls.get_report.report_id = report.report_id;
  // The client checks the structured answer against the output schema by itself.
  const result = await client.callTool({ name: tool.name, arguments: calls[tool.name] });
  if (result.isError) throw new Error(`${tool.name}: ${result.content[0].text}`);
  if (tool.name === 'create_report') report = result.structuredContent;
  else if (!result.structuredContent?.attribution?.text) throw new Error(`${tool.name}: no attribution`);
  called.push(tool.name);
}

const refused = await client.callTool({ name: 'get_place', arguments: { place_id: 'bad' } });
if (!refused.isError || refused._meta['google-reviews/error'].status !== 422) throw new Error('a bad argument was not told');

const { resources } = await client.listResources();
if (!resources.some((resource) => resource.uri === report.uri)) throw new Error('the report is not listed');
const { contents } = await client.readResource({ uri: report.uri });
if (!contents[0].text.startsWith('# Report')) throw new Error('the report cannot be read as a resource');

console.log(`mode ${mode}: called ${called.join(', ')}`);
await client.close();
