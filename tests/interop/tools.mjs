// Uses everything that the server offers, as each of the clients of the TypeScript SDK does once it is connected.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';

const known = JSON.parse(readFileSync(new URL('calls.json', import.meta.url), 'utf8'));

// The arguments of a call of each tool; `mark` tells one run's reports from another's.
export const calls = (mark) => {
  const arguments_ = structuredClone(known.tools);
  arguments_.create_report.request_id = `interop-${mark}`;
  return arguments_;
};

// All pages of a list.
const all = async (list, name) => {
  const found = [];
  let cursor;
  do {
    const page = await list(cursor ? { cursor } : {});
    found.push(...page[name]);
    cursor = page.nextCursor;
  } while (cursor);
  return found;
};

// Lists the tools and calls every one of them. Answers their names, and the report.
export const callAll = async (client, mark) => {
  const known = calls(mark);
  const called = [];
  let report;
  for (const tool of await all((page) => client.listTools(page), 'tools')) {
    if (!(tool.name in known)) throw new Error(`no call is known for ${tool.name}`);
    if (tool.name === 'get_report') known.get_report.report_id = report.report_id;
    // The client checks the structured answer against the output schema by itself.
    const result = await client.callTool({ name: tool.name, arguments: known[tool.name] });
    if (result.isError) throw new Error(`${tool.name}: ${result.content[0].text}`);
    if (tool.name === 'create_report') report = result.structuredContent;
    else if (!result.structuredContent?.attribution?.text) throw new Error(`${tool.name}: no attribution`);
    called.push(tool.name);
  }
  return { called, report };
};

// Calls every tool, reads every resource, and completes what can be completed. Answers in one line what was done.
export const useAll = async (client, mark) => {
  const { called, report } = await callAll(client, mark);
  const refused = await client.callTool({ name: 'get_place', arguments: { place_id: 'bad' } });
  assert(refused.isError, 'a bad argument was not told');
  assert.equal(refused._meta['google-reviews/error'].status, 422);

  const resources = await all((page) => client.listResources(page), 'resources');
  assert(resources.some(({ uri }) => uri === report.uri), 'the report is not listed');
  for (const { uri } of resources) {
    const { contents } = await client.readResource({ uri });
    assert(contents[0].text.length > 0, `${uri} is empty`);
    if (uri === report.uri) assert(contents[0].text.startsWith('# Report'), 'the report cannot be read as a resource');
  }
  const [{ uriTemplate }] = await all((page) => client.listResourceTemplates(page), 'resourceTemplates');
  const did = [`called ${called.join(', ')}`, `read ${resources.length} resources`];
  // Not every client can complete.
  if (client.complete) {
    const { completion } = await client.complete({
      ref: { type: 'ref/resource', uri: uriTemplate },
      argument: { name: 'id', value: report.report_id.slice(0, 4) },
    });
    assert(completion.values.includes(report.report_id), 'the id of the report is not completed');
    did.push(`completed ${uriTemplate}`);
  }
  return did.join('; ');
};
