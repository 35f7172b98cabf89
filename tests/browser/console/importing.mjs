// What stories about imports do.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve(import.meta.dirname, '../../..');
const PROGRAM = resolve(process.env.ONHAND ?? `${ROOT}/target/release/onhand`);
/** What the browser says while a node is away. */
export const AWAY = [
  'ERR_CONNECTION_REFUSED', 'ERR_INCOMPLETE_CHUNKED_ENCODING', 'ERR_CONNECTION_RESET', 'ERR_EMPTY_RESPONSE', 'ERR_SOCKET_NOT_CONNECTED',
];
/** An import that has not begun. */
export const UNKNOWN = '404 (Not Found)';

/** Runs `onhand import`. @returns its standard output */
export async function importByShell(...arguments_) {
  return (await promisify(execFile)(PROGRAM, ['import', ...arguments_], { maxBuffer: 1 << 26 })).stdout;
}

export const choose = (page, path) => page.getByLabel('CSV file').setInputFiles(path);
export const check = (page) => page.getByRole('button', { name: 'Check the file' }).click();
export const tiles = async (page) => Object.fromEntries(
  (await page.locator('.tile').allInnerTexts()).map((text) => text.split('\n').reverse()));
export const importId = (page) => new URL(page.url()).searchParams.get('import');

/** The CSV of refused rows, as it is saved. */
export async function saved(page) {
  const [download] = await Promise.all([page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save refused rows as CSV' }).click()]);
  return readFile(await download.path(), 'utf8');
}
