// Calls every tool, as each of the clients does once it is connected.
const bakery = 'ChIJdemo_moonlit_bakery_001';

// The arguments of a call of each tool; `mark` tells one run's reports from another's.
export const calls = (mark) => ({
  search_places: { query: 'bakery', limit: 3 },
  get_place: { place_id: bakery },
  get_reviews: { place_id: bakery, response_format: 'detailed' },
  analyze_reviews: { place_id: bakery },
  compare_places: { place_ids: [bakery, 'ChIJdemo_crack_and_mend_001'] },
  create_report: { place_ids: [bakery], title: 'One place', request_id: `interop-${mark}` },
  get_report: {},
});

// Lists the tools and calls every one of them with a client of the TypeScript SDK. Answers their names, and the report.
export const callAll = async (client, mark) => {
  const known = calls(mark);
  const { tools } = await client.listTools();
  const called = [];
  let report;
  for (const tool of tools) {
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
