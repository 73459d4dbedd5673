// A browser as a program: signs somebody in at an address that a client wants them to open, and goes back to the client, or
// prints where that would be. Python's clients, and others that open a browser, are sent here.
//
// INTEROP_NAME=… INTEROP_PASSWORD=… node open.mjs ADDRESS [--print]
import { setTimeout as wait } from 'node:timers/promises';
import { Browser, authorize } from './browser.mjs';

const [address, print] = process.argv.slice(2);
const { INTEROP_NAME: name, INTEROP_PASSWORD: password } = process.env;
const browser = new Browser();
const back = await authorize(browser, address, { name, password });
if (print) {
  console.log(back.href);
} else {
  // The client may begin to listen only now.
  for (let tries = 0; ; tries += 1) {
    try {
      await browser.go(back);
      break;
    } catch (error) {
      if (tries === 100) throw error;
      await wait(100);
    }
  }
}
