import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { stripVTControlCharacters } from 'node:util';
import { Failure } from '../errors.ts';
import { dnsHookProblem } from '../settings/dns-hook.ts';
import type { Clock } from '../system/clock.ts';
import { type Finished, type Run, saidBy } from '../system/processes.ts';
import { mask, readCredentials } from './dns-hook-env.ts';
import type { Challenge, Solver } from './solver.ts';

export interface DnsHookParts {
  readonly run: Run;
  readonly clock: Clock;
  /** This process's; the program is given PATH, HOME and LANG of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute path, setting ACME_DNS_HOOK. */
  readonly program: string;
  /** dotenv file with what the program needs to log in, setting ACME_DNS_HOOK_ENV. */
  readonly envFile: string | undefined;
}

type Action = 'present' | 'cleanup';

/** Milliseconds for one call: the program waits until all name servers of a zone have the record. */
const LIMIT = 5 * 60_000;
const PASSED_ON = ['PATH', 'HOME', 'LANG'];
const LINES_TOLD = 8;
const LONGEST_LINE = 400;

/**
 * dns-01 (RFC 8555 section 8.4) by a program of the operator's, called as lego's provider `exec` does:
 * `PROGRAM present|cleanup FQDN VALUE`. One call at a time: two values may stand at one name, and such a
 * program reads it and writes it.
 * @throws Failure `dns-hook-unfit`, `dns-hook-env`, `dns-hook-failed`, `dns-hook-timeout`
 */
export class DnsHook implements Solver {
  readonly type = 'dns-01';
  readonly #parts: DnsHookParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: DnsHookParts) {
    this.#parts = parts;
  }

  present(challenge: Challenge): Promise<void> {
    return this.#inTurn('present', challenge);
  }

  cleanUp(challenge: Challenge): Promise<void> {
    return this.#inTurn('cleanup', challenge);
  }

  #inTurn(action: Action, challenge: Challenge): Promise<void> {
    const mine = this.#last.then(() => call(this.#parts, action, challenge));
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

async function call(parts: DnsHookParts, action: Action, challenge: Challenge): Promise<void> {
  const { program, environment, envFile } = parts;
  await expectFit(program, challenge);
  const credentials = await readCredentials(envFile);
  const passedOn = PASSED_ON.map((name) => [name, environment[name]]).filter(([, value]) => value);
  const env = { ...Object.fromEntries(passedOn), ...credentials, MOORAGE_DOMAIN: challenge.name };
  const args = [action, recordName(challenge), recordValue(challenge)];
  const { timedOut, finished } = await runWithin(parts, args, env);
  if (finished.exitCode === 0 && !timedOut) return;
  const command = `${program} ${args.join(' ')}`;
  const told = lastLines(mask(saidBy(finished), credentials));
  if (timedOut) {
    throw new Failure(
      'dns-hook-timeout',
      `The DNS hook did not end within ${LIMIT / 60_000} minutes and was killed: ${command}${told}`,
      'It has to end once the name servers have the record. Run it by hand and see what it waits for.',
    );
  }
  throw new Failure(
    'dns-hook-failed',
    `The DNS hook ended with exit code ${finished.exitCode}: ${command}${told}`,
    'Fix what it reports, and run it by hand until it ends with 0. Its contract: docs/dns-01.md',
  );
}

async function expectFit(program: string, { name }: Challenge): Promise<void> {
  const problem = await dnsHookProblem(program);
  if (problem !== undefined) {
    throw new Failure('dns-hook-unfit', `ACME_DNS_HOOK: ${program} ${problem.what}.`, problem.remedy);
  }
  if (isIP(name) === 0) return;
  throw new Failure(
    'dns-hook-unfit',
    `${name} is an address, which DNS can't prove control of (RFC 8738 section 7).`,
    'Use ACME_CHALLENGE=http-01 for addresses.',
  );
}

function recordName({ name }: Challenge): string {
  return `_acme-challenge.${name.replace(/\.$/, '')}.`;
}

function recordValue({ keyAuthorization }: Challenge): string {
  return createHash('sha256').update(keyAuthorization).digest('base64url');
}

/** Runs the program, and ends it and all it started once the time is over. */
async function runWithin(
  { run, clock, program }: DnsHookParts,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ timedOut: boolean; finished: Finished }> {
  const over = new AbortController();
  const ended = new AbortController();
  const limit = clock.sleep(LIMIT, ended.signal).then(
    () => over.abort(),
    () => undefined, // ended in time
  );
  const options = { env, inheritEnv: false, ownGroup: true, signal: over.signal };
  try {
    const finished = await run(program, args, options);
    return { timedOut: over.signal.aborted, finished };
  } finally {
    ended.abort();
    await limit;
  }
}

function lastLines(output: string): string {
  const text = output.replaceAll('\u0007', ' '); // a bell can end an escape sequence that holds all before it
  const lines = stripVTControlCharacters(text)
    .split(/[\r\n]+/)
    .map((line) => line.replace(/\p{Cc}/gu, ' ').trimEnd())
    .filter((line) => line !== '')
    .slice(-LINES_TOLD)
    .map((line) => `\n  ${line.slice(0, LONGEST_LINE)}`);
  return lines.join('');
}
