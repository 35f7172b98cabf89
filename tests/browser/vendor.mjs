// Makes the libraries of the console from the packages that package-lock.json pins: bare imports become relative ones, and
// the comment for source maps goes.
//
//   node vendor.mjs            writes src/adapters/console/static/vendor
//   node vendor.mjs --check    ends with 1 when what stands there differs

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const PACKAGES = new URL('node_modules/', import.meta.url).pathname;
const VENDOR = new URL('../../src/adapters/console/static/vendor/', import.meta.url).pathname;

/** The file as it is served: from which file of which package. */
const FILES = {
  'preact.js': { from: 'preact/dist/preact.mjs' },
  'hooks.js': { from: 'preact/hooks/dist/hooks.mjs' },
  'signals-core.js': { from: '@preact/signals-core/dist/signals-core.mjs' },
  'signals.js': { from: '@preact/signals/dist/signals.mjs' },
};
const IMPORTS = {
  'preact': './preact.js', 'preact/hooks': './hooks.js', '@preact/signals-core': './signals-core.js',
};
const LICENSES = ['preact', '@preact/signals'];

async function made({ from }) {
  const text = await readFile(join(PACKAGES, from), 'utf8');
  const bare = /(\bfrom|\bimport)\s*(["'])([^"'.][^"']*)\2/g;
  const relative = text.replace(bare, (_, keyword, quote, name) => {
    if (!IMPORTS[name]) throw new Error(`${from} imports ${name}, for which there is no file`);
    return `${keyword}${quote}${IMPORTS[name]}${quote}`;
  });
  return `${relative.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '').trimEnd()}\n`;
}

async function license(name) {
  const { version } = JSON.parse(await readFile(join(PACKAGES, name, 'package.json'), 'utf8'));
  const text = await readFile(join(PACKAGES, name, 'LICENSE'), 'utf8');
  return `${name} ${version}\n\n${text.trim()}\n`;
}

const files = await Promise.all(Object.entries(FILES).map(async ([name, file]) => [name, await made(file)]));
files.push(['LICENSES', (await Promise.all(LICENSES.map(license))).join('\n\n')]);

const check = process.argv.includes('--check');
for (const [name, text] of files) {
  if (!check) await writeFile(join(VENDOR, name), text);
  else if ((await readFile(join(VENDOR, name), 'utf8').catch(() => null)) !== text) {
    console.error(`vendor/${name} is not what package-lock.json pins; run node tests/browser/vendor.mjs`);
    process.exitCode = 1;
  }
}
