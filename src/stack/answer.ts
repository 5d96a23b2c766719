import type { WebServer } from '../certificates/deploy.ts';
import { Failure } from '../errors.ts';
import { type Done, unchanged } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';

const UP_WITHIN = 60_000;

/**
 * Waits until nginx answers TLS, with whatever certificate it has.
 * @throws Failure `nginx-silent`, with the last lines of its log
 */
export async function awaitNginx(
  webServer: WebServer,
  name: string,
  clock: Clock,
  log: () => Promise<string>,
): Promise<Done> {
  const shown = await eventually(clock, { within: UP_WITHIN, every: 100 }, () => webServer.served(name));
  if (shown !== undefined) return unchanged('answers');
  throw new Failure(
    'nginx-silent',
    `nginx does not answer on its TLS port within 60 s. Its log ends with:\n${await log()}`,
    'Mend what it says (your own settings are in nginx/user.d), then run this again.',
  );
}
