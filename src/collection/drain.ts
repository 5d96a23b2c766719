import { counted } from '../counted.ts';
import type { Report } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import type { Traffic } from './traffic.ts';

/** Between two requests of one push there is less than this, as a rule. */
const QUIET = 2_000;
const LOOK_EVERY = 500;

export interface Drained {
  /** Uploads that were still on their way in the end. */
  readonly left: number;
  readonly quiet: boolean;
}

/**
 * Waits for a moment in which nobody pushes: no upload is on its way, and none came for two seconds.
 * @param patience milliseconds
 */
export async function awaitQuiet(
  look: () => Promise<Traffic>,
  { clock, patience }: { readonly clock: Clock; readonly patience: number },
  report: Report,
): Promise<Drained> {
  const began = clock.now().getTime();
  let before: Traffic | undefined;
  let since = began;
  for (;;) {
    const now = await look();
    const at = clock.now().getTime();
    if (now.uploads > 0 || now.written !== before?.written) since = at;
    before = now;
    if (at - since >= QUIET) return { left: 0, quiet: true };
    if (at - began >= patience) return { left: now.uploads, quiet: false };
    report(now.uploads > 0 ? `${uploadsInWords(now.uploads)} on the way` : 'waiting for a quiet moment');
    await clock.sleep(LOOK_EVERY);
  }
}

export function uploadsInWords(many: number): string {
  return counted(many, 'upload');
}
