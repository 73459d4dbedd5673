# Uses everything that the server offers, as each of Python's clients does once it is connected.
import json
from pathlib import Path

KNOWN = json.loads(Path(__file__).with_name("calls.json").read_text())


async def use_all(client, mark):
    """What was done, in one line. `client` has a method for each request, which answers all pages."""
    known = KNOWN["tools"]
    known["create_report"]["request_id"] = f"interop-{mark}"
    called = []
    for tool in await client.tools():
        if tool.name == "get_report":
            known["get_report"]["report_id"] = report["report_id"]
        # The client checks the structured answer against the output schema by itself.
        result = await client.call(tool.name, known[tool.name])
        assert not result.is_error, f"{tool.name}: {result.content[0].text}"
        data = result.structured_content
        if tool.name == "create_report":
            report = data
        else:
            assert data["attribution"]["text"], f"{tool.name}: no attribution"
        called.append(tool.name)
    refused = await client.call("get_place", {"place_id": "bad"})
    assert refused.is_error, "a bad argument was not told"
    assert refused.meta["google-reviews/error"]["status"] == 422

    got = []
    for prompt in await client.prompts():
        given = KNOWN["prompts"][prompt.name]
        messages = await client.prompt(prompt.name, given)
        assert given["place_id"] in messages[0].content.text, f"{prompt.name} is not filled in"
        assert await client.complete_prompt(prompt.name, "language", "ger") == ["de"], f"{prompt.name} is not completed"
        got.append(prompt.name)

    resources = await client.resources()
    for uri in (report["uri"], "reviews://attribution"):
        assert uri in [str(resource.uri) for resource in resources], f"{uri} is not listed"
    for resource in resources:
        contents = await client.read(str(resource.uri))
        assert contents[0].text, f"{resource.uri} is empty"
        if str(resource.uri) == report["uri"]:
            assert contents[0].text.startswith("# Report"), "the report cannot be read as a resource"
    template = (await client.templates())[0].uri_template
    values = await client.complete(template, "id", report["report_id"][:4])
    assert report["report_id"] in values, "the id of the report is not completed"
    done = [f"called {', '.join(called)}", f"read {len(resources)} resources", f"got {', '.join(got)}"]
    return "; ".join([*done, f"completed {', '.join([template, *got])}"])
