import { moment } from '../../certificates/words.ts';
import { again, type Entry, unfinishedCommands } from '../../journal.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { type Finding, fine, together, warning } from '../finding.ts';

export const interruptedCheck: Check<Context> = {
  name: 'interrupted',
  group: 'Stack',
  within: SOON,
  run: async ({ paths, clock }) => {
    const found = await unfinishedCommands(paths.journals, clock);
    return together(
      found.map((each) => judgeEntry(each.command, each)),
      fine('no command was cut off'),
    );
  },
};

/** A command that is at work now has such an entry, too. */
export function judgeEntry(command: string, { since, step }: Pick<Entry, 'since' | 'step'>): Finding {
  const at = step === '' ? '' : `, at "${step}"`;
  return warning(
    `npm run ${command} began ${moment(since)} and has not ended${at}`,
    `Unless it is at work now, run it again, and it goes on from there: ${again({ command })}`,
  );
}
