// Signs in with npm `oauth4webapi`, a library for OAuth clients that checks every answer by the letter of the standards:
// once for each way in which a client can say who it is.
//
// node oauth.mjs ENDPOINT NAME PASSWORD
import { strict as assert } from 'node:assert';
import * as oauth from 'oauth4webapi';
import { Browser, authorize } from './browser.mjs';

const [endpoint, name, password] = process.argv.slice(2);
const resource = new URL(endpoint);
const redirect = 'http://127.0.0.1:31999/callback';
// Everything here is on this machine.
const here = { [oauth.allowInsecureRequests]: true };

const authentications = {
  none: () => oauth.None(),
  client_secret_post: (client) => oauth.ClientSecretPost(client.client_secret),
  client_secret_basic: (client) => oauth.ClientSecretBasic(client.client_secret),
};

// One request of MCP, with what it answers.
const ask = async (token, method, params = {}) => {
  const headers = new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' });
  headers.set('mcp-protocol-version', '2025-11-25');
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const response = await oauth.protectedResourceRequest(token, 'POST', resource, headers, body, here);
  assert.equal(response.status, 200, method);
  const { result, error } = await response.json();
  assert(result, JSON.stringify(error));
  return result;
};

// What somebody who has only the address of the endpoint finds out.
const discover = async () => {
  const challenge = await ask('not-a-token', 'tools/list').then(
    () => assert.fail('a token that is none was let in'),
    (error) => {
      assert(error instanceof oauth.WWWAuthenticateChallengeError, String(error));
      assert.equal(error.status, 401);
      return error.cause.find(({ scheme }) => scheme === 'bearer').parameters;
    },
  );
  const found = await oauth.resourceDiscoveryRequest(resource, here);
  assert.equal(found.url, challenge.resource_metadata, 'the challenge names other metadata');
  const server = await oauth.processResourceDiscoveryResponse(resource, found);
  const issuer = new URL(server.authorization_servers[0]);
  const answer = await oauth.discoveryRequest(issuer, { ...here, algorithm: 'oauth2' });
  const metadata = await oauth.processDiscoveryResponse(issuer, answer);
  assert(metadata.code_challenge_methods_supported.includes('S256'));
  assert(metadata.authorization_response_iss_parameter_supported);
  const alike = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...here, algorithm: 'oidc' }));
  assert.deepEqual(alike, metadata, 'the two places of the metadata differ');
  return { metadata, scope: `${challenge.scope ?? server.scopes_supported.join(' ')} offline_access` };
};

const register = async (metadata, method) => {
  const wanted = {
    client_name: `oauth4webapi ${method}`,
    redirect_uris: [redirect],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: method,
  };
  const answer = await oauth.dynamicClientRegistrationRequest(metadata, wanted, here);
  const client = await oauth.processDynamicClientRegistrationResponse(answer);
  assert.equal(client.token_endpoint_auth_method, method);
  assert.deepEqual(client.redirect_uris, [redirect]);
  assert.equal('client_secret' in client, method !== 'none');
  return client;
};

// The tokens that somebody gets who sends their user to sign in.
const signIn = async (metadata, client, authentication, scope) => {
  const [state, verifier] = [oauth.generateRandomState(), oauth.generateRandomCodeVerifier()];
  const address = new URL(metadata.authorization_endpoint);
  address.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirect,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    scope,
    state,
    resource: resource.href,
  });
  const back = await authorize(new Browser(), address, { name, password });
  assert.equal(back.searchParams.get('iss'), metadata.issuer);
  const parameters = oauth.validateAuthResponse(metadata, client, back, state);
  const answer = await oauth.authorizationCodeGrantRequest(metadata, client, authentication, parameters, redirect, verifier, {
    ...here,
    additionalParameters: { resource: resource.href },
  });
  return oauth.processAuthorizationCodeResponse(metadata, client, answer);
};

// What the token says, by the profile of JWT access tokens (RFC 9068).
const read = async (metadata, token) => {
  const request = new Request(resource, { headers: { authorization: `Bearer ${token}` } });
  return oauth.validateJwtAccessToken(metadata, request, resource.href, here);
};

const { metadata, scope } = await discover();
for (const [method, make] of Object.entries(authentications)) {
  const client = await register(metadata, method);
  const authentication = make(client);
  const refresh = async (token) =>
    oauth.processRefreshTokenResponse(
      metadata,
      client,
      await oauth.refreshTokenGrantRequest(metadata, client, authentication, token, {
        ...here,
        additionalParameters: { resource: resource.href },
      }),
    );

  let tokens = await signIn(metadata, client, authentication, scope);
  assert.equal(tokens.token_type, 'bearer');
  assert.deepEqual(tokens.scope.split(' ').sort(), scope.split(' ').sort());
  const { tools } = await ask(tokens.access_token, 'tools/list');
  const called = await ask(tokens.access_token, 'tools/call', { name: 'search_places', arguments: { query: 'bakery' } });
  assert.equal(called.isError, false, JSON.stringify(called));
  const before = await read(metadata, tokens.access_token);
  assert.equal(before.client_id, client.client_id);

  for (const round of [1, 2]) {
    const next = await refresh(tokens.refresh_token);
    assert.notEqual(next.refresh_token, tokens.refresh_token, `the refresh token is not changed in round ${round}`);
    assert.notEqual(next.access_token, tokens.access_token);
    tokens = next;
    await ask(tokens.access_token, 'tools/list');
  }
  assert.equal((await read(metadata, tokens.access_token)).sub, before.sub);

  const revoked = await oauth.revocationRequest(metadata, client, authentication, tokens.refresh_token, here);
  await oauth.processRevocationResponse(revoked);
  const refused = await refresh(tokens.refresh_token).then(
    () => assert.fail('a revoked token was refreshed'),
    (error) => error,
  );
  assert(refused instanceof oauth.ResponseBodyError, String(refused));
  assert.deepEqual([refused.status, refused.error], [400, 'invalid_grant']);
  console.log(`${method}: signed in, listed ${tools.length} tools, called search_places, refreshed twice, revoked`);
}
