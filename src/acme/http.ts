import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { createSecureContext, rootCertificates } from 'node:tls';
import { axios } from 'acme-client';
import { messageOf } from '../errors.ts';
import type { Clock } from '../system/clock.ts';
import { AcmeProblem, AcmeUnreachable, readProblem, readRetryAfter } from './problem.ts';

/** A CA answers within seconds; finalizing may take it longer. */
const TIMEOUT = 30_000;
/** Bytes: a chain has some ten thousand. */
const LARGEST = 1_000_000;

/** `Retry-After` of answers that are no errors, by their bodies: acme-client hands on the bodies alone. */
const advice = new WeakMap<object, Date>();

/** When the server wants to be asked again for what it answered with `body`. */
export function retryAfterOf(body: object): Date | undefined {
  return advice.get(body);
}

/**
 * Makes acme-client's HTTP behave: no sleeping retries of its own (it would sleep a whole `Retry-After` in process),
 * a timeout, and every error answer as an `AcmeProblem`. Its HTTP instance is one for the whole process, so this is
 * too, and the last call counts; `trust` is a PEM file added to the public roots for a private ACME server, `timeout`
 * milliseconds for one request.
 */
export function prepareHttp(
  trust: string | undefined,
  clock: Clock,
  { timeout }: { timeout: number } = { timeout: TIMEOUT },
): void {
  // Made once: told `ca`, every connection would parse all roots anew, in a megabyte that outlives it for long.
  const agent = new Agent({
    secureContext: createSecureContext(trust === undefined ? {} : withRoots(trust)),
  });
  Object.assign(axios.defaults, {
    validateStatus: null,
    maxContentLength: LARGEST,
    httpsAgent: agent,
    acmeSettings: { retryMaxAttempts: 0, retryDefaultDelay: 0 },
  });
  // acme-client's own make a TypeError of a broken connection once its retries are switched off.
  axios.interceptors.request.clear();
  axios.interceptors.response.clear();
  axios.interceptors.request.use((config) => {
    // axios' own `timeout` counts from the connection on; a black hole swallows the connection itself.
    config.signal = AbortSignal.timeout(timeout);
    return config;
  });
  axios.interceptors.response.use(
    (response) => {
      const retryAfter = readRetryAfter(response.headers['retry-after'], clock.now());
      if (response.status < 400) {
        if (retryAfter !== undefined && typeof response.data === 'object' && response.data !== null)
          advice.set(response.data, retryAfter);
        return response;
      }
      throw new AcmeProblem(readProblem(response.status, response.data), retryAfter);
    },
    (error: unknown) => {
      throw new AcmeUnreachable(describe(error, timeout), { cause: error });
    },
  );
}

function withRoots(trust: string): { ca: string[] } {
  return { ca: [...rootCertificates, readFileSync(trust, 'utf8')] };
}

/** GET without a signature: the directory, renewal information. */
export async function get(
  url: string,
): Promise<{ body: unknown; headers: Readonly<Record<string, unknown>> }> {
  const response = await axios.get<unknown>(url);
  return { body: response.data, headers: { ...response.headers } };
}

function describe(error: unknown, timeout: number): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = messageOf(cause) || messageOf(error);
  return text === 'canceled' ? `no answer within ${timeout / 1000} s` : text;
}
