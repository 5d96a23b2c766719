import type { z } from 'zod';
import { runThere } from '../deploy/run-there.ts';
import { Failure } from '../errors.ts';
import type { RemoteHost } from '../remote/host.ts';
import type { Report } from '../step.ts';
import { type Finished, lastLines, saidBy } from '../system/processes.ts';

/** The machine that a registry goes to, and the checkout there. */
export interface Far {
  readonly host: RemoteHost;
  readonly folder: string;
}

/** What a far checkout does for `move-to` on this machine: `npm run move-to -- --far WHAT`. */
export const FAR_TASKS = ['survey', 'admit', 'dismiss', 'close', 'stop'] as const;
export type FarTask = (typeof FAR_TASKS)[number];

/**
 * Has the far checkout do something, and reads what it answers.
 * @throws Failure `far-failed` with what it said
 */
export async function askFar<T>(
  { host, folder }: Far,
  task: FarTask,
  answer: z.ZodType<T>,
  { input, report }: { readonly input?: string; readonly report: Report },
): Promise<T> {
  const finished = await runThere(host, folder, 'move-to', ['--far', task], {
    ...(input === undefined ? {} : { input }),
    onLine: (line) => line.startsWith('{') || report(line.trim()),
  });
  expectDone(host, `move-to --far ${task}`, finished);
  return answer.parse(JSON.parse(finished.stdout));
}

/** @throws Failure `far-failed` */
export function expectDone({ name }: RemoteHost, what: string, { exitCode, stderr, stdout }: Finished): void {
  if (exitCode === 0) return;
  const said = lastLines(saidBy({ stderr, stdout }), 12);
  throw new Failure(
    'far-failed',
    `${what} on ${name} ended with ${exitCode}:\n${said}`,
    'Fix what it reports, then run this again: it goes on where it stopped.',
  );
}
