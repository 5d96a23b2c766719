import { relative } from 'node:path';
import { problemsOf } from '../../errors.ts';
import { parseRetention } from '../../retention/retention-file.ts';
import { readIfExists } from '../../system/files.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, skipped, warning } from '../finding.ts';

export const retentionCheck: Check<Context> = {
  name: 'retention',
  group: 'Stack',
  within: SOON,
  run: async ({ paths }) => {
    const text = await readIfExists(paths.retentionFile);
    const file = relative(paths.root, paths.retentionFile);
    const follows = (await readIfExists(paths.retentionCopy)) === text;
    return judgeRetention(text, file, follows);
  },
};

/** @param follows whether the daemon has the same */
export function judgeRetention(text: string | undefined, file: string, follows: boolean): Finding {
  if (text === undefined && !follows)
    return warning(
      `there is no ${file} any more, and the daemon still follows the last one`,
      'npm run init-tls',
    );
  if (text === undefined) return skipped(`there is no ${file}: every tag stays`);
  const problems = problemsOf(() => parseRetention(text, file));
  if (problems.length === 0)
    return follows
      ? fine(`${file} is right`)
      : warning(
          `${file} is right, and the daemon does not follow it yet`,
          'npm run prune, or npm run init-tls',
        );
  const told = problems.map(({ input, message }) => `${input}: ${message}`).join('\n');
  return broken(told, 'Fix the file; nothing is pruned until then.');
}
