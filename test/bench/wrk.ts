import { execa } from 'execa';
import { Failure, systemCode } from '../../src/errors.ts';

/** What wrk saw of one URL. */
export interface Measured {
  /** Requests a second. */
  readonly rate: number;
  /** Milliseconds that 99 of 100 requests stayed below. */
  readonly p99: number;
}

/** As many as the figures were taken with. */
const CONNECTIONS = 16;
const PATIENCE = '30s';
const MILLISECONDS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/**
 * Asks over and over on 16 connections that are kept alive.
 * @param script what wrk sends, in Lua: a password is nothing for a command line
 * @throws Failure `wrk-missing`, `wrk-failed` when a single request was not answered with success
 */
export async function wrk(url: string, script: string, seconds: number): Promise<Measured> {
  const load = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}`, '--latency', '--timeout', PATIENCE, '-s', script];
  const { stdout } = await execa('wrk', [...load, url]).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
    throw new Failure('wrk-missing', 'wrk, which makes the load, is not installed.', 'apt-get install wrk');
  });
  const problem = /^.*(Non-2xx|Socket errors).*$/m.exec(stdout)?.[0];
  if (problem !== undefined)
    throw new Failure('wrk-failed', `${url}: ${problem.trim()}`, 'Look into the logs of the parts.');
  return { rate: Number(field(stdout, /Requests\/sec:\s+([\d.]+)/)[0]), p99: latency(stdout) };
}

function latency(output: string): number {
  const [amount, unit = ''] = field(output, /^\s*99%\s+([\d.]+)(us|ms|s|m) *$/m);
  return Math.round(Number(amount) * (MILLISECONDS[unit] ?? Number.NaN) * 1000) / 1000;
}

function field(output: string, pattern: RegExp): readonly string[] {
  const match = pattern.exec(output);
  if (match === null) throw new Failure('wrk-failed', `wrk said: ${output}`, 'It is another version of wrk.');
  return match.slice(1);
}
