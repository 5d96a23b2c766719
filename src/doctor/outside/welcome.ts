import { z } from 'zod';
import type { Trust } from '../../registry/client.ts';
import { trustFor } from '../../registry/trust.ts';
import { registryUrl, type Settings } from '../../settings/settings.ts';
import type { Context } from '../context.ts';
import { type Stay, type Wait, withStay } from '../path/stay.ts';
import { awaitQuiet } from './quiet.ts';

/** The first line that a machine says to the doctor of another one. */
export const welcome = z.object({
  name: z.string().min(1),
  port: z.number().int(),
  httpPort: z.number().int(),
  trust: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('system') }),
    z.object({ kind: z.literal('plain') }),
    z.object({ kind: z.literal('authority'), pem: z.string() }),
    z.object({ kind: z.literal('certificate'), fingerprint: z.string() }),
  ]),
  user: z.string(),
  password: z.string(),
  noRoom: z.string().nullable(),
});

export type Welcome = z.infer<typeof welcome>;

/** The last line: what could not be taken away again. */
export const farewell = z.object({ left: z.string().nullable() });

/** What lines for a person begin with, before the first one. */
export const WAITING = 'waiting: ';

/** What comes the other way, a line each. */
const NOTE = /^note (sha256:[0-9a-f]{64})$/;

export function noteLine(digest: string): string {
  return `note ${digest}\n`;
}

/** Each line as it comes. A stream that breaks off has ended. */
export async function* linesOf(stream: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  let begun = '';
  try {
    for await (const piece of stream) {
      const lines = (begun + piece.toString()).split('\n');
      begun = lines.pop() ?? '';
      yield* lines;
    }
  } catch {
    // whoever was at its other end is gone
  }
}

/**
 * Lets the doctor of another machine in, by a login that is gone when there are no more lines, or when time is over.
 * What is noted in lines is taken away again. Who is at work here is waited for.
 * @returns what could not be
 * @throws Failure `locked` by another doctor
 */
export async function receive(
  context: Context,
  lines: AsyncIterable<string>,
  { greet, within, wait }: { greet: (welcome: Welcome) => void; within: number; wait: Wait },
): Promise<string | undefined> {
  const over = new AbortController();
  const work = async (stay: Stay) => {
    greet(await welcomeFor(context, stay));
    const late = context.clock.sleep(within, over.signal).catch(() => undefined);
    await Promise.race([noteAll(lines, stay), late]);
    over.abort();
  };
  const { left } = await withStay(context, work, await awaitQuiet(context, wait));
  return left;
}

async function noteAll(lines: AsyncIterable<string>, { leavings }: Stay): Promise<void> {
  for await (const line of lines) {
    const digest = NOTE.exec(line)?.[1];
    if (digest !== undefined) await leavings.note(digest);
  }
}

async function welcomeFor(context: Context, { credentials, noRoom }: Stay): Promise<Welcome> {
  const { settings } = context;
  const trust = await trustOf(context, settings);
  return {
    name: settings.domain,
    port: trust.kind === 'plain' ? settings.httpPort : settings.httpsPort,
    httpPort: settings.httpPort,
    trust,
    user: credentials.user,
    password: credentials.password.reveal(),
    noRoom: noRoom ?? null,
  };
}

/** A proxy in front that ends TLS has a certificate of its own. */
async function trustOf({ renewal, paths }: Context, settings: Settings): Promise<Trust> {
  if (settings.issuer === 'none')
    return { kind: registryUrl(settings).startsWith('https:') ? 'system' : 'plain' };
  const current = await renewal.store.current();
  if (current.kind !== 'present') return { kind: 'system' };
  return trustFor(paths, settings, current.generation.certificate);
}
