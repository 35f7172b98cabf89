// A real node and a real browser, for stories about web pages.
//
//   npm ci --ignore-scripts && ONHAND=../../target/release/onhand node --test
//
// ONHAND is the built binary (target/release/onhand if not named), CHROMIUM the browser (/usr/bin/chromium), SHOTS a folder
// for pictures of the pages, for somebody who looks at them.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';

const ROOT = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
const PROGRAM = resolve(process.env.ONHAND ?? join(ROOT, 'target/release/onhand'));
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const STARTS_WITHIN_MS = 60_000;

/** Nothing of the browser's own goes over the network, and nothing is kept from one story to the next. */
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** Starts a node on a fresh data directory and a free port; `arguments_` are added to `onhand serve`. */
export async function startNode(...arguments_) {
  const directory = await mkdtemp(join(tmpdir(), 'onhand-browser-'));
  let running = await run(directory, 0, arguments_);
  const { url } = running;
  const port = Number(new URL(url).port);
  return {
    url,
    port,
    /** What the node itself says, asked past the browser. */
    async get(path) {
      const answer = await fetch(url + path, { headers: { accept: 'application/json' } });
      return { status: answer.status, body: await answer.json().catch(() => null) };
    },
    /** Sends a JSON body as a program does; the answer must be good. */
    async post(path, body, headers = {}) {
      const answer = await fetch(url + path, {
        method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    /** Ends the node at once, as a crash does. Its data stays. */
    async kill() {
      running.process.kill('SIGKILL');
      await running.ended;
    },
    /** Stops it with its connections open, as a machine without memory does; `resume` lets it go on. */
    pause: () => running.process.kill('SIGSTOP'),
    resume: () => running.process.kill('SIGCONT'),
    /** Lets no file of it grow beyond so many bytes, as a full disk does; `unlimited` lifts it. Needs prlimit (util-linux). */
    limitFiles: (bytes) => execFileSync('prlimit', ['--pid', String(running.process.pid), `--fsize=${bytes}:unlimited`]),
    /** Where its data is. */
    data: join(directory, 'data'),
    /** Starts it again, on the same port and data. */
    async restart() {
      running = await run(directory, port, arguments_);
    },
    /** Ends the node well, and removes its data. */
    async stop() {
      running.process.kill('SIGTERM');
      const [code] = await running.ended;
      await rm(directory, { recursive: true, force: true });
      if (code !== 0) throw new Error(`the node ended with ${code}:\n${running.said()}`);
    },
  };
}

/** A process of `onhand serve` that is ready. */
async function run(directory, port, arguments_) {
  const readyFile = join(directory, 'ready');
  await rm(readyFile, { force: true });
  const process_ = spawn(
    PROGRAM,
    // A stop waits for a probe to hear of it, a fifth of this time.
    [
      'serve', '--shutdown-timeout-ms', '2500', '--port', String(port), '--data-dir', join(directory, 'data'),
      '--ready-file', readyFile, ...arguments_,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [process_.stdout, process_.stderr]) stream.on('data', (part) => (said += part));
  const ended = once(process_, 'exit');
  ended.catch(() => {});
  return { url: await readyUrl(readyFile, process_, () => said), process: process_, ended, said: () => said };
}

/** The address a node writes when it is ready. */
async function readyUrl(file, process_, said) {
  const until = Date.now() + STARTS_WITHIN_MS;
  while (Date.now() < until) {
    if (process_.exitCode !== null) throw new Error(`the node ended with ${process_.exitCode}:\n${said()}`);
    if (await stat(file).catch(() => null)) {
      const address = (await readFile(file, 'utf8')).trim();
      if (address) return address;
    }
    await new Promise((go) => setTimeout(go, 20));
  }
  process_.kill('SIGKILL');
  throw new Error(`the node was not ready after ${STARTS_WITHIN_MS} ms:\n${said()}`);
}

/**
 * A browser with a profile of its own, which is empty. `flags` are added to its command line.
 *
 * `complaints` has what its pages wrote to the console as a warning or an error, what a script threw, and every request
 * that went to another authority than `allowed`.
 */
export async function openBrowser({ flags = [], width = 1440, height = 1000, allowed = [] } = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'onhand-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM, headless: true, args: [...FLAGS, ...flags], viewport: { width, height },
    colorScheme: 'light', locale: 'en-GB',
  });
  const complaints = [];
  context.on('console', (message) => {
    if (['warning', 'error'].includes(message.type())) complaints.push(`console ${message.type()}: ${message.text()}`);
  });
  context.on('weberror', (thrown) => complaints.push(`thrown: ${thrown.error().message}`));
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (allowed.length > 0 && url.protocol.startsWith('http') && !allowed.includes(url.host)) {
      complaints.push(`asked elsewhere: ${url.href}`);
    }
  });
  return {
    context,
    complaints,
    page: context.pages()[0] ?? (await context.newPage()),
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** Takes a picture, when somebody wants to look. */
export async function picture(target, name) {
  if (!process.env.SHOTS) return;
  await mkdir(process.env.SHOTS, { recursive: true });
  await target.screenshot({ path: join(process.env.SHOTS, `${name}.png`) });
}
