# Connects with PyPI `fastmcp`, unmodified, and uses everything that the server offers. With a name and a password in the
# environment it signs in first: it opens a browser, which BROWSER names, and listens for the way back itself.
#
# [INTEROP_NAME=… INTEROP_PASSWORD=… INTEROP_NODE=… BROWSER=…] python fastmcp_client.py legacy|auto|VERSION ENDPOINT
import asyncio
import os
import sys
from importlib.metadata import version

from fastmcp import Client
from mcp_types import PromptReference, ResourceTemplateReference

from everything import use_all


class All:
    """Its requests, which answer all pages."""

    def __init__(self, client):
        self.client = client

    async def tools(self):
        return await self.client.list_tools()

    async def call(self, name, arguments):
        return await self.client.call_tool_mcp(name, arguments)

    async def prompts(self):
        return await self.client.list_prompts()

    async def prompt(self, name, arguments):
        return (await self.client.get_prompt(name, arguments)).messages

    async def resources(self):
        return await self.client.list_resources()

    async def templates(self):
        return await self.client.list_resource_templates()

    async def read(self, uri):
        return await self.client.read_resource(uri)

    async def complete(self, template, variable, value):
        return await self.values(ResourceTemplateReference(uri=template), variable, value)

    async def complete_prompt(self, name, argument, value):
        return await self.values(PromptReference(name=name), argument, value)

    async def values(self, reference, argument, value):
        answer = await self.client.complete(reference, {"name": argument, "value": value})
        return answer.values


async def main(mode, endpoint):
    signs_in = "INTEROP_NAME" in os.environ
    async with Client(endpoint, mode=mode, auth="oauth" if signs_in else None) as client:
        did = await use_all(All(client), f"fastmcp-{mode}")
        # As data of a type that it makes of the output schema.
        place = await client.call_tool("get_place", {"place_id": "ChIJdemo_moonlit_bakery_001"})
        assert place.data.place.name, place.data
    print(f"fastmcp {version('fastmcp')}, {mode}: {did}{'; signed in' if signs_in else ''}")


asyncio.run(main(*sys.argv[1:]))
