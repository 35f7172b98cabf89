// Calls of the public API: the only way the console reads or changes anything.

/** @typedef {import("./vendor/api.js").components["schemas"]} Schemas */
/** @typedef {Schemas["Problem"]} Problem */
/** @typedef {Record<string, string | number | boolean | null | undefined>} Query */

/** The root of the node, also where a proxy serves it below a path. */
export const ROOT = new URL('../../../', import.meta.url);

/** How often a read is sent again while the node does not answer. */
const READ_TRIES = 4;
const WAIT_MS = 500;
const WAIT_MS_MAX = 10_000;

/** A refusal by the node, or no answer at all (`status` 0). */
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

  /** True when the same request may succeed later: the node is away, busy, or read-only. */
  get isTemporary() {
    return this.status === 0 || this.status === 429 || this.status === 503;
  }
}

/** @type {Set<(error: ApiError | null) => void>} */
const observers = new Set();

/** Calls `observer` after each answer: with the error, or with null when the node has answered well. Returns the way to end it. */
export function observe(/** @type {(error: ApiError | null) => void} */ observer) {
  observers.add(observer);
  return () => observers.delete(observer);
}

/** Tells the observers what a request has shown. */
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
 * @property {boolean} [quiet] Observers are not told of a refusal: the caller expects it.
 */

/**
 * Sends one request. The body of the answer is not read.
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
    if (signal?.aborted) throw error;
    const lost = new ApiError(0, { title: 'The node does not answer', detail: 'The node does not answer. It may be starting again.' });
    report(lost);
    throw lost;
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
  const text = await answer.text();
  return {
    data: text === '' ? null : JSON.parse(text), status: answer.status, headers: answer.headers,
    sequence: sequenceOf(answer),
  };
}

/** As of which sequence of the log an answer is: all before it is included. */
export function sequenceOf(/** @type {Response} */ answer) {
  const text = answer.headers.get('onhand-sequence');
  return text === null ? null : Number(text);
}

/**
 * Reads, and reads again while the node is away or busy.
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
 * @param {(items: T[], data: any) => boolean | void} onPage Returns false when it has enough.
 * @param {CallOptions} options
 * @returns {Promise<number | null>} As of which sequence the list is.
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
 * Sends a change until the node has answered it. It carries an Idempotency-Key, so it takes effect once however often it is
 * sent; `onWait` hears each time why it is sent again.
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

/** The pause before a try: doubled each time, with chance, and never shorter than the node asks for. */
export function waitBefore(
  /** @type {number} */ tryNumber, /** @type {number} */ retryAfterMs = 0, /** @type {AbortSignal | undefined} */ signal = undefined,
) {
  const backoff = Math.min(WAIT_MS * 2 ** (tryNumber - 2), WAIT_MS_MAX) * (0.5 + Math.random() / 2);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.max(backoff, retryAfterMs));
    signal?.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}

/** Passwords do not stand in text that is shown and copied. */
const masked = (/** @type {string} */ name, /** @type {unknown} */ value) => (name === 'password' ? '***' : value);

/**
 * A call as a line for a shell.
 *
 * @param {string} method
 * @param {string} path
 * @param {Pick<CallOptions, "query" | "body" | "headers" | "accept">} options
 */
export function curl(method, path, { query, body, headers = {}, accept } = {}) {
  const quote = (/** @type {string} */ text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const parts = ['curl'];
  if (method !== 'GET') parts.push('-X', method);
  parts.push(quote(address(path, query).href));
  if (accept) parts.push('-H', quote(`accept: ${accept}`));
  for (const [name, value] of Object.entries(headers)) parts.push('-H', quote(`${name}: ${value}`));
  if (body !== undefined) parts.push('-H', quote('content-type: application/json'), '-d', quote(JSON.stringify(body, masked)));
  return parts.join(' ');
}
