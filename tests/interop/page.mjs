// Looks at a page in a real browser, as its readers do: on a phone and at a desk, in light and in dark, with script and
// without, and with the keyboard alone.
//
// node page.mjs URL [FOLDER for pictures]        CHROMIUM names the browser, if it is not /usr/bin/chromium
import { inspect, launch, looks, picture, tab } from './look.mjs';

const [url, pictures] = process.argv.slice(2);
const faults = [];

const browser = await launch();

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

// What can be read, without what the script adds and without times, which differ from one look to the next.
const words = (page) =>
  page.evaluate(() => {
    const main = document.querySelector('main').cloneNode(true);
    for (const other of main.querySelectorAll('button, time')) other.remove();
    return main.textContent.replace(/\s+/g, ' ');
  });

for (const { name, ...shown } of looks) {
  const context = await browser.newContext({ ...shown, permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await open(context, name);
  const { found, smallest } = await page.evaluate(inspect);
  faults.push(...found.map((fault) => `${name}: ${fault}`));
  await picture(page, pictures, name);
  faults.push(...(await tab(page)).map((fault) => `${name}: ${fault}`));
  await copy(page, name);
  await select(page, name);

  const plain = await browser.newContext({ ...shown, javaScriptEnabled: false });
  const without = await open(plain, `${name} without script`);
  const buttons = await without.locator('button').count();
  if (buttons > 0) faults.push(`${name}: ${buttons} buttons do nothing without script`);
  const texts = await without.locator('[data-copy] code').all();
  for (const text of texts) if (!(await text.isVisible())) faults.push(`${name}: a text cannot be seen without script`);
  if ((await words(without)) !== (await words(page))) faults.push(`${name}: without script, something else is said`);
  await picture(without, pictures, `${name}-without-script`);

  console.log(`${name}: ${texts.length} texts to copy, contrast at least ${smallest.toFixed(1)}`);
  await Promise.all([context.close(), plain.close()]);
}
await browser.close();
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
