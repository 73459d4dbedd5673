// What an application keeps of a sign-in for a client of the TypeScript SDK, in either of its generations, and how its user
// is sent to sign in: to a browser played by hand.
import { strict as assert } from 'node:assert';
import { Browser, authorize } from './browser.mjs';

// `unticked` is what its user does not grant.
export class Provider {
  redirectUrl = 'http://127.0.0.1:31998/callback';
  unticked = [];
  asked = [];
  saved = [];
  back;
  #browser = new Browser();
  #kept = {};
  #person;

  constructor(name, password) {
    this.#person = { name, password };
  }

  get clientMetadata() {
    return {
      client_name: 'interop of the TypeScript SDK',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  state = () => (this.#kept.state = crypto.randomUUID());
  clientInformation = () => this.#kept.client;
  saveClientInformation = (client) => void (this.#kept.client = client);
  tokens = () => this.#kept.tokens;
  saveTokens = (tokens) => {
    this.#kept.tokens = tokens;
    this.saved.push(tokens);
  };
  codeVerifier = () => this.#kept.verifier;
  saveCodeVerifier = (verifier) => void (this.#kept.verifier = verifier);
  discoveryState = () => this.#kept.discovery;
  saveDiscoveryState = (discovery) => void (this.#kept.discovery = discovery);
  invalidateCredentials = (what) => assert.fail(`${what} was found to be invalid`);

  async redirectToAuthorization(address) {
    this.asked.push(address.searchParams.get('scope').split(' '));
    const back = await authorize(this.#browser, address, { ...this.#person, unticked: this.unticked });
    assert.equal(back.searchParams.get('state'), this.#kept.state);
    this.back = back.searchParams;
  }

  granted = () => this.saved.at(-1).scope.split(' ').sort();

  // As if the time of the access token were over.
  drop() {
    this.#kept.tokens = { ...this.#kept.tokens, access_token: 'expired' };
  }
}

