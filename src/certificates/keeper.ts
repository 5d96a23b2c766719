import { messageOf } from '../errors.ts';
import { ensurePlaceholder } from './placeholder.ts';
import { ensureCertificate, type RenewalParts } from './renewal.ts';

/** One line for the log of the daemon. */
export type Log = (line: string) => void;

/** Before the first tick: nginx has to have something to start with. */
export async function prepare({ store, names, clock }: RenewalParts, log: Log): Promise<void> {
  const { changed } = await ensurePlaceholder(store, names, clock);
  if (changed) log('made a placeholder for nginx to start with');
}

/** One look at the certificate. A failure is logged and waits for its turn; it never ends the daemon. */
export async function tick(parts: RenewalParts, log: Log): Promise<void> {
  try {
    const failed = await parts.gate.read(parts.clock.now());
    if (failed !== undefined && parts.clock.now() < failed.nextAttempt) {
      log(`${failed.failures} failures in a row; next attempt ${failed.nextAttempt.toISOString()}`);
      return;
    }
    const { changed, summary } = await ensureCertificate(parts, { force: false }, log);
    log(changed ? `certificate ${summary}` : `nothing to do: ${summary}`);
  } catch (error) {
    log(`failed: ${messageOf(error)}`);
  }
}
