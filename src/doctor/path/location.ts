import { exchange } from '../../registry/exchange.ts';
import { type Check, SOON } from '../check.ts';
import { broken, type Finding, fine, skipped, warning } from '../finding.ts';
import { cureFor } from './hop.ts';
import { locationOf, start } from './upload.ts';
import type { Visit } from './visit.ts';

export const locationCheck: Check<Visit> = {
  name: 'location',
  group: 'Path of a client',
  within: 2 * SOON, // nginx holds questions back for up to 27 s
  run: async (visit, { signal }) => {
    if (visit.blocked !== undefined) return skipped(visit.blocked);
    const { outer, endpoints, hop } = visit;
    const started = await exchange(outer, start(visit), { signal });
    if (isClosed(started)) visit.blocked = 'writes are closed';
    if (started.status !== 202)
      return judgeStart(
        started.status,
        started.text,
        hop,
        visit.login === 'given' ? visit.repository : undefined,
      );
    await exchange(outer, { method: 'DELETE', path: locationOf(started) }, { signal });
    return judgeLocation(started.headers.location, endpoints.url, hop);
  },
};

/** @param given the repository where a person who has given a login may perhaps not push */
export function judgeStart(status: number, said: string, hop: string | undefined, given?: string): Finding {
  const message = /"message":"([^"]+)"/.exec(said)?.[1] ?? said.slice(0, 120).trim();
  const told = `an upload is refused with ${status}: ${message}`;
  if (isClosed({ status, text: said }))
    return warning(
      told,
      /registry moves/.test(said)
        ? 'Push to the other machine: npm run status on the one that it moves from says which that is'
        : 'npm run gc or npm run storage is at work; run this again when it has ended',
    );
  if (status === 507) return broken(told, 'Free space; docs/disk-space.md');
  if (given !== undefined && isDenied({ status, text: said }))
    return broken(told, `Name another repository than ${given}, where this user may push: --repository NAME`);
  if (status === 403 && hop === undefined)
    return broken(told, 'The gate may be older than this: npm run init-tls');
  return broken(told, 'docker compose logs gate registry nginx');
}

/** By our own nginx (nginx/templates/writes.closed.template): while a command wants it so, or for good after a move. */
function isClosed({ status, text }: { readonly status: number; readonly text: string }): boolean {
  return status === 503 && /writes are closed/.test(text);
}

/** The gate's own word (distribution-spec, error codes), and not that of a hop. */
export function isDenied({ status, text }: { readonly status: number; readonly text: string }): boolean {
  return (status === 403 || status === 401) && /"code":\s*"(DENIED|UNAUTHORIZED)"/.test(text);
}

/** distribution answers with a path alone; whoever makes a URL of it may make a wrong one (distribution#970). */
export function judgeLocation(location: string | undefined, url: string, hop: string | undefined): Finding {
  if (location === undefined) return broken('an upload has no Location header', cureFor(hop, 'headers'));
  if (location.startsWith('/')) return fine('relative');
  const right = new URL(url);
  const led = URL.canParse(location) ? new URL(location) : undefined;
  if (led?.origin === right.origin) return fine(`at ${url}`);
  const wrong = led === undefined ? location : led.origin;
  const what =
    led?.protocol !== right.protocol ? 'scheme' : led.hostname !== right.hostname ? 'host' : 'port';
  return broken(
    `uploads are led on to ${wrong} instead of ${url}: the ${what} is wrong${hop === undefined ? '' : `, by a hop in front, ${hop}`}`,
    cureFor(hop, 'headers'),
  );
}
