// Looks at a page in a real browser, as its readers do: on a phone and at a desk, in light and in dark, with script and
// without, and with the keyboard alone.
//
// node page.mjs URL [FOLDER for pictures]        CHROMIUM names the browser, if it is not /usr/bin/chromium
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [url, pictures] = process.argv.slice(2);
const screens = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } };
const schemes = ['light', 'dark'];
const faults = [];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

// What is wrong with what is shown, found within the page.
const inspect = () => {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth) {
    found.push(`it is ${document.documentElement.scrollWidth} px wide on a screen of ${innerWidth} px`);
  }
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [red, green, blue] = numbers(color).slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const background = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if ((numbers(color)[3] ?? 1) === 1) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let smallest = Infinity;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || ['SCRIPT', 'STYLE'].includes(element.tagName)) continue;
    const [first, second] = [getComputedStyle(element).color, background(element)].map(luminance);
    const contrast = (Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05);
    smallest = Math.min(smallest, contrast);
    if (contrast < 4.5) found.push(`contrast ${contrast.toFixed(2)}: ${texts.currentNode.data.trim().slice(0, 40)}`);
  }
  for (const name of ['header', 'main', 'footer', 'h1', 'title']) {
    if (document.querySelectorAll(name).length !== 1) found.push(`there is not one ${name}`);
  }
  if (!document.documentElement.lang) found.push('no language is named');
  let level = 0;
  for (const heading of document.querySelectorAll('h1, h2, h3, h4')) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) found.push(`a level is missing above ${heading.textContent}`);
    level = next;
  }
  for (const element of document.querySelectorAll('a, button')) {
    const name = element.getAttribute('aria-label') ?? element.textContent.trim();
    if (!name) found.push(`nameless: ${element.outerHTML}`);
    const size = element.getBoundingClientRect();
    if (element.matches('button, .button') && size.height < 24) found.push(`too small to touch: ${name}`);
  }
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  if (new Set(ids).size !== ids.length) found.push('an id is used twice');
  for (const element of document.querySelectorAll('[aria-labelledby]')) {
    if (!document.getElementById(element.getAttribute('aria-labelledby'))) found.push(`no label: ${element.outerHTML}`);
  }
  return { found, smallest };
};

// Opens the page; whatever the browser complains of is a fault.
const open = async (context, name) => {
  const page = await context.newPage();
  page.on('console', (message) => faults.push(`${name}: console: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`${name}: script: ${error}`));
  page.on('requestfailed', (request) => faults.push(`${name}: not loaded: ${request.url()}`));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin && !request.url().startsWith('data:')) {
      faults.push(`${name}: asks somebody else: ${request.url()}`);
    }
  });
  const response = await page.goto(url, { waitUntil: 'networkidle' });
  if (response.status() !== 200) faults.push(`${name}: status ${response.status()}`);
  return page;
};

const picture = async (page, name) => {
  if (!pictures) return;
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
};

// Every block that can be copied is, to the letter, and says so.
const copy = async (page, name) => {
  const blocks = await page.locator('[data-copy]').all();
  if (blocks.length === 0) faults.push(`${name}: there is nothing to copy`);
  for (const block of blocks) {
    const [text, button] = [await block.locator('code').textContent(), block.locator('button')];
    await button.click();
    await page.waitForFunction((element) => element.textContent === 'Copied', await button.elementHandle());
    const clipboard = await page.evaluate(() => navigator.clipboard.readText());
    if (clipboard !== text) faults.push(`${name}: copied ${clipboard} in place of ${text}`);
    const said = await page.locator('[role=status]').textContent();
    if (!said.startsWith('Copied ')) faults.push(`${name}: nobody is told that it was copied`);
  }
};

// Where the browser gives no clipboard, as over http from another machine, the text is selected.
const select = async (page, name) => {
  await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  const block = page.locator('[data-copy]').first();
  await block.locator('button').click();
  await page.waitForFunction(() => getSelection().toString() !== '');
  const selected = await page.evaluate(() => getSelection().toString());
  if (selected !== (await block.locator('code').textContent())) faults.push(`${name}: selected ${selected}`);
};

// With Tab, every link and every button is reached in the order in which it stands, and is seen to be.
const tab = async (page, name) => {
  const count = await page.locator('a, button').count();
  for (let index = 0; index < count; index += 1) {
    await page.keyboard.press('Tab');
    const reached = await page.evaluate((wanted) => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const place = element.getBoundingClientRect();
      return {
        isNext: [...document.querySelectorAll('a, button')].indexOf(element) === wanted,
        isMarked: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        isInside: place.left >= 0 && place.right <= innerWidth,
        name: element.textContent.trim().slice(0, 40),
      };
    }, index);
    if (!reached.isNext || !reached.isMarked || !reached.isInside) faults.push(`${name}: Tab: ${JSON.stringify(reached)}`);
  }
};

// What can be read, without what the script adds and without times, which differ from one look to the next.
const words = (page) =>
  page.evaluate(() => {
    const main = document.querySelector('main').cloneNode(true);
    for (const other of main.querySelectorAll('button, time')) other.remove();
    return main.textContent.replace(/\s+/g, ' ');
  });

for (const [screen, viewport] of Object.entries(screens)) {
  for (const colorScheme of schemes) {
    const name = `${screen}-${colorScheme}`;
    const context = await browser.newContext({ viewport, colorScheme, permissions: ['clipboard-read', 'clipboard-write'] });
    const page = await open(context, name);
    const { found, smallest } = await page.evaluate(inspect);
    faults.push(...found.map((fault) => `${name}: ${fault}`));
    await picture(page, name);
    await tab(page, name);
    await copy(page, name);
    await select(page, name);

    const plain = await browser.newContext({ viewport, colorScheme, javaScriptEnabled: false });
    const without = await open(plain, `${name} without script`);
    const buttons = await without.locator('button').count();
    if (buttons > 0) faults.push(`${name}: ${buttons} buttons do nothing without script`);
    const texts = await without.locator('[data-copy] code').all();
    for (const text of texts) if (!(await text.isVisible())) faults.push(`${name}: a text cannot be seen without script`);
    if ((await words(without)) !== (await words(page))) faults.push(`${name}: without script, something else is said`);
    await picture(without, `${name}-without-script`);

    console.log(`${name}: ${texts.length} texts to copy, contrast at least ${smallest.toFixed(1)}`);
    await Promise.all([context.close(), plain.close()]);
  }
}
await browser.close();
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
