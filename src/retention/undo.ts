import { WrongInput } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { Storehouse } from './apply.ts';
import type { Remembered } from './pruned.ts';
import { canMove, type Return, retag } from './untag.ts';

export interface Returned {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly outcome: Return;
}

type Tagged = Remembered & { readonly tag: string };

/**
 * What is to be brought back: the tags that are named, or all of the last run.
 * @param names `repository:tag`
 * @throws WrongInput for what was never removed, or is forgotten
 */
export function chooseReturns(
  remembered: readonly Remembered[],
  names: readonly string[],
): readonly Tagged[] {
  const tagged = remembered.filter((entry): entry is Tagged => entry.tag !== undefined);
  const byRun = tagged.toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));
  if (names.length === 0) {
    const last = byRun.at(-1)?.run;
    return byRun.filter(({ run }) => run === last);
  }
  const byName = new Map(byRun.map((entry) => [`${entry.repository}:${entry.tag}`, entry]));
  const problems = names
    .filter((name) => !byName.has(name))
    .map((input) => ({ input, message: `was not removed, or is forgotten${nearest(input, byName.keys())}` }));
  if (problems.length > 0) throw new WrongInput(problems);
  return [...new Set(names)].flatMap((name) => byName.get(name) ?? []);
}

/** Brings tags back, and forgets that they were removed. Under the lock of the storage. */
export async function bringBackTags(
  house: Storehouse,
  chosen: readonly Tagged[],
): Promise<readonly Returned[]> {
  if (chosen.length === 0) return [];
  const returned = canMove(house.tree)
    ? await returnTo(house, chosen)
    : await house.closed(async (expectClosed) =>
        returnTo({ tree: await house.reopen() }, chosen, expectClosed),
      );
  await house.pruned.forget(chosen);
  return returned;
}

async function returnTo(
  { tree }: Pick<Storehouse, 'tree'>,
  chosen: readonly Tagged[],
  expectClosed: () => void = () => undefined,
): Promise<Returned[]> {
  const returned: Returned[] = [];
  for (const { repository, tag, digest, pushed } of chosen) {
    expectClosed();
    const outcome = await retag(tree, repository, { name: tag, digest, pushed });
    returned.push({ repository, tag, digest, outcome });
  }
  return returned;
}

/** Runs by time, and what a run removed by name. */
function orderOf({ run, repository, tag }: Tagged): string {
  return `${run} ${repository}:${tag}`;
}
