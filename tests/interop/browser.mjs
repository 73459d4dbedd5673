// A browser played by hand: cookies as a browser keeps them, redirects followed one at a time, forms read from their pages
// and sent as a browser sends them. For the tests in which another's client sends its user to sign in.
import { strict as assert } from 'node:assert';

const loopback = (host) => host === 'localhost' || host.endsWith('.localhost') || host === '127.0.0.1' || host === '[::1]';

// One `Set-Cookie` line, or nothing where a browser would not take it.
const readCookie = (line, url) => {
  const [pair, ...attributes] = line.split(';').map((part) => part.trim());
  const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
  const said = new Map(attributes.map((each) => [each.split('=')[0].toLowerCase(), each.split('=')[1] ?? '']));
  const isSecure = said.has('secure');
  if (isSecure && url.protocol !== 'https:' && !loopback(url.hostname)) return undefined;
  if (name.startsWith('__Host-') && (!isSecure || said.get('path') !== '/' || said.has('domain'))) return undefined;
  for (const wanted of ['secure', 'httponly']) assert(said.has(wanted), `the cookie ${name} is not ${wanted}`);
  assert.equal(said.get('samesite')?.toLowerCase(), 'lax', `the cookie ${name} goes elsewhere`);
  const isOver = said.get('max-age') === '0' || Date.parse(said.get('expires') ?? '') <= Date.now();
  return { name, value, isOver };
};

const plain = (text) =>
  text
    .replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');

const attributes = (tag) =>
  new Map([...tag.matchAll(/\s([a-z-]+)(?:="([^"]*)")?/g)].map(([, name, value]) => [name, plain(value ?? '')]));

// What can be sent from a form: its fields as they stand, and its buttons.
const readForms = (html) =>
  [...html.matchAll(/<form(\s[^>]*)>(.*?)<\/form>/gs)].map(([, tag, inner]) => {
    const fields = new Map();
    for (const [, found] of inner.matchAll(/<input(\s[^>]*?)\/?>/g)) {
      const input = attributes(found);
      const isBox = ['checkbox', 'radio'].includes(input.get('type'));
      if (!input.has('name')) continue;
      if (!isBox || input.has('checked')) fields.set(input.get('name'), input.get('value') ?? (isBox ? 'on' : ''));
    }
    const buttons = [...inner.matchAll(/<button(\s[^>]*)?>/g)].map(([, found]) => attributes(found ?? ''));
    return { action: attributes(tag).get('action'), fields, buttons };
  });

export class Browser {
  #cookies = new Map();

  // One request, no redirect followed. `from` is the page on which it was begun.
  async #request(url, { form, from } = {}) {
    const jar = this.#cookies.get(url.hostname) ?? new Map();
    const headers = {
      accept: 'text/html',
      'sec-fetch-dest': 'document',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': from ? (from.url.origin === url.origin ? 'same-origin' : 'cross-site') : 'none',
      'user-agent': 'Mozilla/5.0 (a browser played by hand)',
    };
    if (jar.size > 0) headers.cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    // So does Chromium: a page that may not say where it is does not say it here either.
    if (form) headers.origin = from.headers.get('referrer-policy') === 'no-referrer' ? 'null' : from.url.origin;
    const response = await fetch(url, { method: form ? 'POST' : 'GET', headers, body: form, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const cookie = readCookie(line, url);
      if (!cookie) continue;
      if (cookie.isOver) jar.delete(cookie.name);
      else jar.set(cookie.name, cookie.value);
    }
    this.#cookies.set(url.hostname, jar);
    return { url, status: response.status, headers: response.headers, text: await response.text() };
  }

  // Goes there and on, until a page is shown or it leads to an address that `isEnd` knows; that one is not asked.
  async go(address, { isEnd = () => false, ...how } = {}) {
    let url = new URL(address);
    let page;
    for (let hops = 0; hops < 10; hops += 1) {
      if (isEnd(url)) return { url, isEnd: true };
      page = await this.#request(url, how);
      const refresh = /<meta http-equiv="refresh" content="0; ?url=([^"]*)"/i.exec(page.text)?.[1];
      const next = page.status >= 300 && page.status < 400 ? page.headers.get('location') : refresh && plain(refresh);
      if (!next) return { ...page, forms: readForms(page.text) };
      // A form that is answered with 303 is not sent again.
      if (how.form) assert([200, 303].includes(page.status), `a form is answered with ${page.status}`);
      url = new URL(next, url);
      how = { from: how.from };
    }
    throw new Error(`it leads nowhere: ${url}`);
  }

  // Fills in the form of the page that has these fields and a button of that value, and presses it. A field with the
  // value `undefined` is a box that is not ticked.
  async submit(page, changes, button, how = {}) {
    const names = Object.keys(changes);
    const pressed = ({ buttons }) => buttons.find((each) => each.get('value') === button);
    const form = page.forms.find((each) => names.every((name) => each.fields.has(name)) && pressed(each));
    assert(form, `no form with ${[...names, button]} at ${page.url.pathname} (${page.status}): ${words(page)}`);
    const fields = new Map(form.fields);
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) fields.delete(name);
      else fields.set(name, value);
    }
    if (button) fields.set(pressed(form).get('name'), button);
    return this.go(new URL(form.action || page.url, page.url), { ...how, form: new URLSearchParams([...fields]), from: page });
  }
}

// What a page says.
export const words = (page) => plain(page.text.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();

// Does what somebody does whom a client has sent to sign in: signs in, unticks what is not granted, and allows. Answers
// the address to which they are sent back, which is not asked.
export const authorize = async (browser, address, { name, password, unticked = [], decision = 'allow' }) => {
  const redirect = new URL(new URL(address).searchParams.get('redirect_uri'));
  const how = { isEnd: (url) => url.origin === redirect.origin && url.pathname === redirect.pathname };
  let page = await browser.go(address, how);
  if (page.url.pathname === '/login') page = await browser.submit(page, { name, password }, undefined, how);
  if (page.url.pathname === '/consent') {
    const changes = Object.fromEntries(unticked.map((scope) => [`scope.${scope}`, undefined]));
    page = await browser.submit(page, changes, decision, how);
  }
  assert(page.isEnd, `it ended at ${page.url.pathname} (${page.status}): ${page.text && words(page)}`);
  return page.url;
};
