// Adds what needs a script: buttons that copy. Without it, a click on a text selects the whole of it.
'use strict';

const announcer = document.createElement('p');
announcer.className = 'hidden';
announcer.setAttribute('role', 'status');
document.body.append(announcer);

const copied = async (block, text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers give the clipboard to https and to this machine alone: then the text is at least selected.
    getSelection().selectAllChildren(block.querySelector('code'));
    return document.execCommand('copy');
  }
};

for (const block of document.querySelectorAll('[data-copy]')) {
  const button = document.createElement('button');
  const what = block.dataset.copy;
  button.type = 'button';
  button.textContent = 'Copy';
  button.setAttribute('aria-label', `Copy ${what}`);
  let timer;
  button.addEventListener('click', async () => {
    const done = await copied(block, block.querySelector('code').textContent);
    button.textContent = done ? 'Copied' : 'Selected';
    announcer.textContent = done ? `Copied ${what}.` : `Selected ${what}: copy it with your keyboard.`;
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = 'Copy';
      announcer.textContent = '';
    }, 3000);
  });
  block.append(button);
}
