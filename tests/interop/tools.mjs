// Uses everything that the server offers, as each of the clients of the TypeScript SDK does once it is connected.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';

const known = JSON.parse(readFileSync(new URL('calls.json', import.meta.url), 'utf8'));

// The name of an npm package, with its version.
export const named = (name) => {
  const text = readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8');
  return `${name} ${JSON.parse(text).version}`;
};

// The arguments of a call of each tool; `mark` tells one run's reports from another's.
export const calls = (mark) => {
  const given = structuredClone(known.tools);
  given.create_report.request_id = `interop-${mark}`;
  return given;
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
  const given = calls(mark);
  const called = [];
  let report;
  for (const tool of await all((page) => client.listTools(page), 'tools')) {
    if (!(tool.name in given)) throw new Error(`no call is known for ${tool.name}`);
    if (tool.name === 'get_report') given.get_report.report_id = report.report_id;
    // The client checks the structured answer against the output schema by itself.
    const result = await client.callTool({ name: tool.name, arguments: given[tool.name] });
    if (result.isError) throw new Error(`${tool.name}: ${result.content[0].text}`);
    if (tool.name === 'create_report') report = result.structuredContent;
    else if (!result.structuredContent?.attribution?.text) throw new Error(`${tool.name}: no attribution`);
    called.push(tool.name);
  }
  return { called, report };
};

// Gets every prompt, filled in. Answers their names.
const promptAll = async (client) => {
  const got = [];
  for (const { name } of await all((page) => client.listPrompts(page), 'prompts')) {
    if (!(name in known.prompts)) throw new Error(`nothing is known to fill in for ${name}`);
    const { messages } = await client.getPrompt({ name, arguments: known.prompts[name] });
    assert(messages[0].content.text.includes(known.prompts[name].place_id), `${name} is not filled in`);
    got.push(name);
  }
  return got;
};

// Reads every resource, among which a report is. Answers how many there are.
const readAll = async (client, report) => {
  const resources = await all((page) => client.listResources(page), 'resources');
  for (const uri of [report.uri, 'reviews://attribution']) {
    assert(resources.some((resource) => resource.uri === uri), `${uri} is not listed`);
  }
  for (const { uri } of resources) {
    const { contents } = await client.readResource({ uri });
    assert(contents[0].text.length > 0, `${uri} is empty`);
    if (uri === report.uri) assert(contents[0].text.startsWith('# Report'), 'the report cannot be read as a resource');
  }
  return resources.length;
};

// Completes a variable of a resource's address, and an argument of each prompt.
const completeAll = async (client, report, prompts) => {
  const [{ uriTemplate: uri }] = await all((page) => client.listResourceTemplates(page), 'resourceTemplates');
  const id = { name: 'id', value: report.report_id.slice(0, 4) };
  const ids = await client.complete({ ref: { type: 'ref/resource', uri }, argument: id });
  assert(ids.completion.values.includes(report.report_id), 'the id of the report is not completed');
  for (const name of prompts) {
    const language = { name: 'language', value: 'ger' };
    const { completion } = await client.complete({ ref: { type: 'ref/prompt', name }, argument: language });
    assert.deepEqual(completion.values, ['de'], `the language of ${name} is not completed`);
  }
  return [uri, ...prompts];
};

// Uses all that is offered. Answers in one line what was done.
export const useAll = async (client, mark) => {
  const { called, report } = await callAll(client, mark);
  const refused = await client.callTool({ name: 'get_place', arguments: { place_id: 'bad' } });
  assert(refused.isError, 'a bad argument was not told');
  assert.equal(refused._meta['google-reviews/error'].status, 422);
  const prompts = await promptAll(client);
  const did = [`called ${called.join(', ')}`, `read ${await readAll(client, report)} resources`, `got ${prompts.join(', ')}`];
  // The Inspector cannot complete.
  if (client.complete) did.push(`completed ${(await completeAll(client, report, prompts)).join(', ')}`);
  return did.join('; ');
};
