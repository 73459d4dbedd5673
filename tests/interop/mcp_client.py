# Connects with PyPI `mcp`, the Python SDK's client, unmodified, and uses everything that the server offers. With a name and a
# password in the environment it signs in first, and refreshes.
#
# [INTEROP_NAME=… INTEROP_PASSWORD=… INTEROP_NODE=…] python mcp_client.py legacy|auto|VERSION ENDPOINT
# python mcp_client.py legacy|auto|VERSION PROGRAM COMMAND    starts the program, which gets the settings of this environment
import asyncio
import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import httpx2
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from mcp_types import PromptReference, ResourceTemplateReference

from everything import use_all

NAME = f"mcp {version('mcp')}"


class All:
    """All pages of each list, and the other requests."""

    def __init__(self, client):
        self.client = client

    async def pages(self, page, name):
        found, cursor = [], None
        while True:
            answer = await page(cursor=cursor)
            found += getattr(answer, name)
            cursor = answer.next_cursor
            if cursor is None:
                return found

    async def tools(self):
        return await self.pages(self.client.list_tools, "tools")

    async def call(self, name, arguments):
        return await self.client.call_tool(name, arguments)

    async def prompts(self):
        return await self.pages(self.client.list_prompts, "prompts")

    async def prompt(self, name, arguments):
        return (await self.client.get_prompt(name, arguments)).messages

    async def resources(self):
        return await self.pages(self.client.list_resources, "resources")

    async def templates(self):
        return await self.pages(self.client.list_resource_templates, "resource_templates")

    async def read(self, uri):
        return (await self.client.read_resource(uri)).contents

    async def complete(self, template, variable, value):
        return await self.values(ResourceTemplateReference(uri=template), variable, value)

    async def complete_prompt(self, name, argument, value):
        return await self.values(PromptReference(name=name), argument, value)

    async def values(self, reference, argument, value):
        answer = await self.client.complete(reference, {"name": argument, "value": value})
        return answer.completion.values


class Kept(TokenStorage):
    """What an application keeps of a sign-in."""

    def __init__(self):
        self.tokens, self.client, self.saved = None, None, 0

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens
        self.saved += 1

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Person:
    """Who is sent to sign in."""

    def __init__(self):
        self.asked, self.back = 0, None

    async def open(self, address):
        browser = Path(__file__).with_name("open.mjs")
        done = subprocess.run([os.environ["INTEROP_NODE"], browser, address, "--print"], capture_output=True, check=True)
        self.back = parse_qs(urlparse(done.stdout.decode().strip()).query)
        self.asked += 1

    async def came_back(self):
        return AuthorizationCodeResult(**{name: self.back[name][0] for name in ("code", "state", "iss")})


async def main(mode, endpoint, *command):
    if "INTEROP_NAME" in os.environ:
        await sign_in(mode, endpoint)
        return
    settings = {name: value for name, value in os.environ.items() if name.startswith("REVIEWS__")}
    program = StdioServerParameters(command=endpoint, args=list(command), env=settings)
    async with Client(program if command else endpoint, mode=mode) as client:
        print(f"{NAME}, {mode}: {await use_all(All(client), f'python-{mode}')}")


async def sign_in(mode, endpoint):
    metadata = OAuthClientMetadata(
        client_name="interop of the Python SDK",
        redirect_uris=["http://127.0.0.1:31997/callback"],
        grant_types=["authorization_code", "refresh_token"],
    )
    kept, person = Kept(), Person()
    provider = OAuthClientProvider(endpoint, metadata, kept, person.open, person.came_back)
    async with httpx2.AsyncClient(auth=provider, follow_redirects=True) as http:
        async with Client(streamable_http_client(endpoint, http_client=http), mode=mode) as client:
            did = await use_all(All(client), f"python-oauth-{mode}")
            assert sorted(kept.tokens.scope.split()) == ["offline_access", "reports:write", "reviews:read"], kept.tokens
            assert (person.asked, kept.saved) == (1, 1)
            # As if the time of the access token were over.
            provider.context.token_expiry_time = time.time() - 1
            await client.list_tools(cache_mode="bypass")
            assert (person.asked, kept.saved) == (1, 2), "it did not refresh by itself"
    print(f"{NAME}, {mode}: {did}; signed in, refreshed; registered for {kept.client.token_endpoint_auth_method}")


asyncio.run(main(*sys.argv[1:]))
