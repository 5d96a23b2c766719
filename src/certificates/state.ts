import { z } from 'zod';
import { writeAtomically } from '../system/files.ts';
import { readAs } from '../system/json.ts';
import type { FailureSeries } from './attempts.ts';
import type { SuggestedWindow } from './issuer.ts';

/** What a renewal has to remember beyond what the files and a handshake show. */
export interface RenewalState {
  readonly failure: FailureSeries | undefined;
  readonly advice: Advice | undefined;
}

/** What the CA said about when to renew a certificate. */
export interface Advice {
  readonly fingerprint: string;
  /** `undefined` when it said nothing that makes sense. */
  readonly window: Pick<SuggestedWindow, 'start' | 'end' | 'explanation'> | undefined;
  readonly askAgain: Date;
}

/** A clock that was wrong may have written times far in the future: none is believed that is further off. */
const LONGEST_WAIT = 8 * 24 * 3_600_000;

const date = z.coerce.date();
const shape = z.object({
  failure: z
    .object({
      subject: z.string(),
      count: z.number().int().positive(),
      refusals: z.number().int().nonnegative(),
      since: date,
      nextAttempt: date,
      pauseUntil: date,
      directory: z.string().optional(),
      elsewhere: z.object({ directory: z.string().optional(), nextAttempt: date }).optional(),
      message: z.string(),
      blame: z.enum(['validation', 'limit', 'ca', 'network', 'here']),
      problem: z.string().optional(),
      rehearsal: z.boolean(),
    })
    .optional(),
  advice: z
    .object({
      fingerprint: z.string(),
      window: z.object({ start: date, end: date, explanation: z.string().optional() }).optional(),
      askAgain: date,
    })
    .optional(),
});

/** The state on the disk, so that a restart forgets nothing. Read and written under the renewal's lock. */
export class StateFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** A file that can't be read says nothing: what is lost is a pause and a window, and both are found again. */
  async read(now: Date): Promise<RenewalState> {
    const { failure, advice } = (await readAs(this.#path, shape)) ?? {};
    return {
      failure: failure && {
        ...failure,
        directory: failure.directory,
        elsewhere: failure.elsewhere && {
          directory: failure.elsewhere.directory,
          nextAttempt: credible(failure.elsewhere.nextAttempt, now),
        },
        problem: failure.problem,
        pauseUntil: credible(failure.pauseUntil, now),
        nextAttempt: failure.since > now ? now : credible(failure.nextAttempt, now),
      },
      advice: advice && {
        ...advice,
        window: advice.window && { ...advice.window, explanation: advice.window.explanation },
        askAgain: credible(advice.askAgain, now),
      },
    };
  }

  async write(state: RenewalState): Promise<void> {
    await writeAtomically(this.#path, `${JSON.stringify(state, null, 2)}\n`, 0o600);
  }
}

function credible(time: Date, now: Date): Date {
  return time.getTime() <= now.getTime() + LONGEST_WAIT ? time : now;
}
