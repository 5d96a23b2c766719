import { sizeInWords } from '../../low-water.ts';
import { CutOff, exchange } from '../../registry/exchange.ts';
import { SOON } from '../check.ts';
import { type Finding, fine, warning } from '../finding.ts';
import { LARGE, type Visit } from '../path/visit.ts';

/** Gone now, or never arrived. */
const GONE = [202, 404];

/**
 * Takes away what a person's login has pushed, as far as a client can: the links. What they led to is freed by a clean-up
 * there. `undefined`: there is nothing to say, as nothing was pushed or the machine does it itself.
 */
export async function tidyUp(visit: Visit, pushed: readonly string[]): Promise<Finding | undefined> {
  const { repository, login, manifest } = visit;
  const nothing = visit.pushed === undefined && manifest === undefined;
  if (login !== 'given' || nothing) return undefined;
  const paths = [
    ...(manifest === undefined ? [] : [`/v2/${repository}/manifests/${manifest}`]),
    ...pushed.filter((digest) => digest !== manifest).map((digest) => `/v2/${repository}/blobs/${digest}`),
  ];
  const answers: number[] = [];
  for (const path of paths) answers.push(await remove(visit, path));
  const refused = answers.filter((status) => !GONE.includes(status));
  if (refused.length > 0)
    return warning(
      `what was pushed to ${repository} could not be taken away (${refused[0] || 'no answer'})`,
      `Have it deleted by somebody who may. Then, on that machine: npm run gc`,
    );
  return fine(
    `${repository} is empty again; up to ${sizeInWords(2 * LARGE)} are freed there by the next npm run gc`,
  );
}

async function remove({ outer }: Visit, path: string): Promise<number> {
  try {
    return (await exchange(outer, { method: 'DELETE', path }, { signal: AbortSignal.timeout(SOON) })).status;
  } catch (error) {
    if (error instanceof CutOff) return 0;
    throw error;
  }
}
