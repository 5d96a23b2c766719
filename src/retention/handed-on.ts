import { changed, type Done, unchanged } from '../step.ts';
import { ownerToKeep, readIfExists, removeSynced, writeAtomically } from '../system/files.ts';
import { parseRetention } from './retention-file.ts';
import type { Retention } from './rules.ts';

/** Where the rules are: the person's file, and the daemon's copy of it. */
export interface RetentionFiles {
  readonly retentionFile: string;
  readonly retentionCopy: string;
}

export interface Rules {
  readonly text: string;
  readonly retention: Retention;
}

const MODE = 0o644;
const NAME = 'retention.yaml';

/**
 * The rules of retention.yaml, `undefined` where there is none.
 * @throws WrongInput with every problem as `retention.yaml:LINE`
 */
export async function readRules({
  retentionFile,
}: Pick<RetentionFiles, 'retentionFile'>): Promise<Rules | undefined> {
  const text = await readIfExists(retentionFile);
  return text === undefined ? undefined : { text, retention: parseRetention(text, NAME) };
}

/** The rules as they were handed on to the daemon. */
export function readCopy({
  retentionCopy,
}: Pick<RetentionFiles, 'retentionCopy'>): Promise<Rules | undefined> {
  return readRules({ retentionFile: retentionCopy });
}

/** Whether the daemon goes by what retention.yaml says now, by other rules, or by none. */
export async function whatDaemonFollows(
  { retentionCopy }: Pick<RetentionFiles, 'retentionCopy'>,
  rules: Rules | undefined,
): Promise<'these' | 'others' | 'none'> {
  const copy = await readIfExists(retentionCopy);
  if (copy === rules?.text) return 'these';
  return copy === undefined ? 'none' : 'others';
}

/** Hands the rules on to the daemon, or takes them from it where there are none any more. */
export async function handOn({ retentionCopy }: RetentionFiles, rules: Rules | undefined): Promise<Done> {
  const before = await readIfExists(retentionCopy);
  if (rules === undefined) {
    if (before === undefined) return unchanged('nothing is removed by itself: there is no retention.yaml');
    await removeSynced(retentionCopy);
    return changed('nothing is removed by itself any more: there is no retention.yaml');
  }
  const count = rules.retention.rules.length;
  const summary = `once a day by ${count === 1 ? 'the rule' : `the ${count} rules`} of retention.yaml`;
  if (before === rules.text) return unchanged(summary);
  await writeAtomically(retentionCopy, rules.text, MODE, await ownerToKeep(retentionCopy));
  return changed(summary);
}
