// Calls of the public API. The console reads and changes data only by this module.

import { shellWord } from './parts/format.js';

/** @typedef {import("./vendor/api.js").components["schemas"]} Schemas */
/** @typedef {Schemas["Problem"]} Problem */
/** @typedef {Record<string, string | number | boolean | null | undefined>} Query */

/** The root of the node. A proxy may serve it below a path. */
export const ROOT = new URL('../../../', import.meta.url);

/** How often a read is sent while the node does not answer. */
const READ_TRIES = 4;
const WAIT_MS = 500;
const WAIT_MS_MAX = 10_000;

/** An error response of the node, or no response (`status` 0). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {Partial<Problem>} problem
   * @param {Headers} [headers]
   */
  constructor(status, problem, headers) {
    super(problem.detail ?? problem.title ?? 'The node does not answer.');
    this.status = status;
    this.problem = problem;
    this.code = problem.code ?? (status === 0 ? 'no-answer' : 'internal');
    this.retryAfterMs = problem.retryAfterMs ?? Number(headers?.get('retry-after') ?? 0) * 1000;
  }

  /** True when the same request may succeed later: the node is unreachable, busy, or read-only. */
  get isTemporary() {
    return this.status === 0 || this.status === 429 || this.status === 503;
  }
}

/** @type {Set<(error: ApiError | null) => void>} */
const observers = new Set();

/** Calls `observer` after each response, with the error or null. Returns a function that removes the observer. */
export function observe(/** @type {(error: ApiError | null) => void} */ observer) {
  observers.add(observer);
  return () => observers.delete(observer);
}

/** Passes the result of a request to the observers. */
export function report(/** @type {ApiError | null} */ error) {
  for (const observer of observers) observer(error);
}

/** The address of a path of the API, with its query. */
export function address(/** @type {string} */ path, /** @type {Query} */ query = {}) {
  const url = new URL(path.replace(/^\//, ''), ROOT);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') url.searchParams.set(name, String(value));
  }
  return url;
}

/** The path of a level, or of something below it. */
export function levelPath(/** @type {{ storeId: string, sku: string }} */ { storeId, sku }, below = '') {
  return `/stores/${encodeURIComponent(storeId)}/inventory/${encodeURIComponent(sku)}${below}`;
}

/** An Idempotency-Key. `crypto.randomUUID` is missing on plain HTTP beyond this machine. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `console-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/**
 * @typedef {object} CallOptions
 * @property {Query} [query]
 * @property {unknown} [body] Sent as JSON.
 * @property {Record<string, string>} [headers]
 * @property {string} [accept]
 * @property {AbortSignal} [signal]
 * @property {string} [key] The Idempotency-Key of a change.
 * @property {boolean} [quiet] Observers do not get an error response, because the caller expects it.
 */

/**
 * Sends one request. The caller reads the body of the response.
 *
 * @param {string} method
 * @param {string} path
 * @param {CallOptions} options
 * @returns {Promise<Response>}
 */
export async function send(method, path, options = {}) {
  const { query, body, headers = {}, accept = 'application/json', signal, key, quiet } = options;
  /** @type {Record<string, string>} */
  const sent = { accept, ...headers };
  if (body !== undefined) sent['content-type'] ??= 'application/json';
  if (key) sent['idempotency-key'] = key;
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(address(path, query), {
      method, signal, headers: sent, credentials: 'same-origin', cache: 'no-store',
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
  } catch (error) {
    throw lost(error, signal);
  }
  if (answer.ok) {
    report(null);
    return answer;
  }
  const problem = await answer.json().catch(() => ({}));
  const refused = new ApiError(answer.status, problem, answer.headers);
  if (!quiet) report(refused);
  throw refused;
}

/** What a request is refused with that got no answer. @returns {unknown} */
function lost(/** @type {unknown} */ error, /** @type {AbortSignal | undefined} */ signal) {
  if (signal?.aborted) return error;
  const away = new ApiError(0, { title: 'The node does not answer', detail: 'The node does not answer. It may be restarting.' });
  report(away);
  return away;
}

/**
 * @template T
 * @typedef {{ data: T, status: number, headers: Headers, sequence: number | null }} Answer
 */

/**
 * Sends one request and reads the JSON of its answer.
 *
 * @template [T=any]
 * @param {string} method
 * @param {string} path
 * @param {CallOptions} options
 * @returns {Promise<Answer<T>>}
 */
export async function call(method, path, options = {}) {
  const answer = await send(method, path, options);
  // The node may stop in the middle of its answer, too.
  const text = await answer.text().catch((error) => { throw lost(error, options.signal); });
  return {
    data: text === '' ? null : JSON.parse(text), status: answer.status, headers: answer.headers,
    sequence: sequenceOf(answer),
  };
}

/** The sequence of the log that a response includes. */
export function sequenceOf(/** @type {Response} */ answer) {
  const text = answer.headers.get('onhand-sequence');
  return text === null ? null : Number(text);
}

/**
 * Reads, and retries while the node is unreachable or busy.
 *
 * @template [T=any]
 * @param {string} path
 * @param {Query} [query]
 * @param {CallOptions} options
 * @returns {Promise<Answer<T>>}
 */
export async function read(path, query = {}, options = {}) {
  for (let tried = 1; ; tried += 1) {
    try {
      return await call('GET', path, { ...options, query });
    } catch (error) {
      if (!(error instanceof ApiError) || !error.isTemporary || tried === READ_TRIES) throw error;
      await waitBefore(tried + 1, error.retryAfterMs, options.signal);
    }
  }
}

/**
 * Reads a list, page by page; `onPage` gets the items of each page.
 *
 * @template T
 * @param {string} path
 * @param {Query} query
 * @param {(items: T[], data: any) => boolean | void} onPage Returns false to stop.
 * @param {CallOptions} options
 * @returns {Promise<number | null>} The sequence that the list includes.
 */
export async function readPages(path, query, onPage, options = {}) {
  /** @type {number | null} */
  let first = null;
  for (let cursor = /** @type {string | null} */ (null); ; ) {
    /** @type {Answer<any>} */
    const page = await read(path, { ...query, cursor }, options);
    first ??= page.sequence;
    cursor = page.data.nextCursor;
    if (onPage(page.data.items, page.data) === false || cursor === null) return first;
  }
}

/**
 * Sends a change until the node answers. Its Idempotency-Key makes it take effect once, however often it is sent. `onWait` gets
 * the reason of each retry.
 *
 * @template [T=any]
 * @param {string} method
 * @param {string} path
 * @param {CallOptions & { onWait?: (error: ApiError) => void }} options
 * @returns {Promise<Answer<T>>}
 */
export async function change(method, path, options = {}) {
  const { onWait, ...rest } = options;
  const sent = { key: newKey(), ...rest };
  for (let tried = 1; ; tried += 1) {
    try {
      return await call(method, path, sent);
    } catch (error) {
      if (!(error instanceof ApiError) || !error.isTemporary) throw error;
      onWait?.(error);
      await waitBefore(tried + 1, error.retryAfterMs, options.signal);
    }
  }
}

/** The pause before an attempt: exponential with jitter, and at least `Retry-After`. */
export function waitBefore(
  /** @type {number} */ tryNumber, /** @type {number} */ retryAfterMs = 0, /** @type {AbortSignal | undefined} */ signal = undefined,
) {
  const backoff = Math.min(WAIT_MS * 2 ** (tryNumber - 2), WAIT_MS_MAX) * (0.5 + Math.random() / 2);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.max(backoff, retryAfterMs));
    signal?.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}

/** Replaces passwords: the text is shown and copied. */
const masked = (/** @type {string} */ name, /** @type {unknown} */ value) => (name === 'password' ? '***' : value);

/**
 * A call as a line for a shell.
 *
 * @param {string} method
 * @param {string} path
 * @param {Pick<CallOptions, "query" | "body" | "headers" | "accept">} options
 */
export function curl(method, path, { query, body, headers = {}, accept } = {}) {
  const parts = ['curl'];
  if (method !== 'GET') parts.push('-X', method);
  parts.push(shellWord(address(path, query).href));
  if (accept) parts.push('-H', shellWord(`accept: ${accept}`));
  for (const [name, value] of Object.entries(headers)) parts.push('-H', shellWord(`${name}: ${value}`));
  if (body !== undefined) parts.push('-H', shellWord('content-type: application/json'), '-d', shellWord(JSON.stringify(body, masked)));
  return parts.join(' ');
}
