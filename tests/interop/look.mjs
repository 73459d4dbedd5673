// What is looked at on every page in a real browser: on a phone and at a desk, in light and in dark, and with the keyboard
// alone. CHROMIUM names the browser, if it is not /usr/bin/chromium.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const screens = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } };

export const looks = Object.entries(screens).flatMap(([screen, viewport]) =>
  ['light', 'dark'].map((colorScheme) => ({ name: `${screen}-${colorScheme}`, viewport, colorScheme })),
);

export const launch = (...more) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });

export const picture = async (page, folder, name) => {
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
};

// What is wrong with what is shown, found within the page.
export const inspect = () => {
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
  for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
    const what = field.name || field.outerHTML;
    const [label] = field.labels;
    if (!label?.textContent.trim() && !field.getAttribute('aria-label')) found.push(`no label: ${what}`);
    const [own, around] = [field, label ?? field].map((each) => each.getBoundingClientRect());
    if (Math.max(own.height, around.height) < 24) found.push(`too small to touch: ${what}`);
    if (['checkbox', 'radio'].includes(field.type)) continue;
    const [first, second] = [getComputedStyle(field).color, background(field)].map(luminance);
    const contrast = (Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05);
    if (contrast < 4.5) found.push(`contrast ${contrast.toFixed(2)} in the field ${what}`);
    if (['name', 'password', 'repeated'].includes(field.name) && !field.autocomplete) {
      found.push(`a keeper of passwords is not told what this is: ${what}`);
    }
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

const REACHED = 'a[href], button, input:not([type=hidden]), select, textarea, summary';

// With Tab, everything that can be used is reached in the order in which it stands, and is seen to be. Answers what is
// not.
export const tab = async (page) => {
  const look = () =>
    page.evaluate((reached) => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const place = element.getBoundingClientRect();
      return {
        index: [...document.querySelectorAll(reached)].indexOf(element),
        isMarked: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        isInside: place.left >= 0 && place.right <= innerWidth,
        name: (element.textContent.trim() || element.name || element.outerHTML).slice(0, 40),
      };
    }, REACHED);
  // A page may begin in its first field, a moment after it is there; what stands above that is reached backwards.
  await page.waitForFunction(() => !document.querySelector('[autofocus]') || document.activeElement.matches('[autofocus]'));
  const { index: begun } = await look();
  for (let index = begun; index > 0; index -= 1) await page.keyboard.press('Shift+Tab');
  const found = [];
  for (let index = 0; index < (await page.locator(REACHED).count()); index += 1) {
    if (index > 0 || begun < 0) await page.keyboard.press('Tab');
    const reached = await look();
    if (reached.index !== index || !reached.isMarked || !reached.isInside) {
      found.push(`Tab: ${JSON.stringify({ wanted: index, ...reached })}`);
    }
  }
  return found;
};
