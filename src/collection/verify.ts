import { Failure, messageOf } from '../errors.ts';
import { type Done, type Report, unchanged } from '../step.ts';
import { atOnce } from '../system/at-once.ts';
import type { Clock } from '../system/clock.ts';
import { type Before, lookAgain, type Wishes } from './collect.ts';
import { type Damage, damageOf, type Need, needsOf } from './damage.ts';
import type { CollectionParts } from './parts.ts';

export const CONNECTIONS = 32;
/** A part may be just coming back. */
const TRIES = 4;
const BETWEEN_TRIES = 1_000;

/** The status of a HEAD. */
export type AskHead = (path: string) => Promise<number>;

/**
 * Asks the registry for every manifest and every blob that one names, as its clients do.
 * @throws Failure `not-verified` when it says neither yes nor no
 */
export async function verify(
  parts: CollectionParts,
  before: Before,
  wishes: Wishes,
  askHead: AskHead,
  report: Report,
): Promise<Done<readonly Damage[]>> {
  await parts.journal.reach('verify');
  const inventory = await lookAgain(parts, before, wishes);
  const needs = needsOf(inventory);
  const missing = new Set<string>();
  let asked = 0;
  await atOnce(CONNECTIONS, needs, async (need) => {
    if (await isMissing(need, askHead, parts.clock)) missing.add(keyOf(need));
    asked += 1;
    report(`${asked} of ${needs.length}`);
  });
  const damage = damageOf(inventory, (need) => missing.has(keyOf(need)));
  const summary = `${needs.length} manifests and blobs asked for`;
  return unchanged(damage.length === 0 ? summary : `${summary}, ${missing.size} MISSING`, damage);
}

async function isMissing(
  { kind, repository, digest }: Need,
  askHead: AskHead,
  clock: Clock,
): Promise<boolean> {
  const path = `/v2/${repository}/${kind}s/${digest}`;
  for (let tried = 1; ; tried += 1) {
    const said = await askHead(path).catch((error: unknown) => messageOf(error));
    // 307: the bucket has it, and serves it itself.
    if (said === 200 || said === 307) return false;
    if (said === 404) return true;
    if (tried === TRIES)
      throw new Failure(
        'not-verified',
        `Whether all images are whole is not known: HEAD ${path} was answered with ${said}.`,
        'Writes are open again. Look into the logs, docker compose logs registry gate nginx, then run this again.',
      );
    await clock.sleep(BETWEEN_TRIES);
  }
}

function keyOf({ kind, repository, digest }: Need): string {
  return `${kind} ${repository} ${digest}`;
}
