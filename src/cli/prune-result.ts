import { counted } from '../counted.ts';
import type { Applied } from '../retention/apply.ts';
import { removedInWords } from '../retention/daily.ts';
import type { Plan } from '../retention/plan.ts';
import type { Returned } from '../retention/undo.ts';
import type { Answer } from '../retention/why.ts';
import type { Done } from '../step.ts';
import { answerInWords, returnInWords } from './prune-words.ts';
import { Terminal } from './terminal.ts';

/** What came of a plan; `undefined` where no tag was left to remove. */
export function showApplied(terminal: Terminal, applied: Applied | undefined, undoDays: number): void {
  const { changed, ...removed } = applied ?? { removed: 0, untagged: 0, changed: [] };
  const words = removedInWords(removed);
  terminal.paragraph(`${words.charAt(0).toUpperCase()}${words.slice(1)}.`);
  if (changed.length > 0)
    terminal.paragraph(`Not removed, because they were pushed or removed meanwhile: ${changed.join(', ')}`);
  terminal.paragraph(
    undoDays === 0
      ? 'The room comes back with the next collection: npm run gc'
      : `To bring back, for ${counted(undoDays, 'day')} at least: npm run prune -- --undo`,
  );
}

/** The daemon has its own copy of retention.yaml: what it is told now, or that it goes by something else. */
export function sayWhatDaemonFollows(
  terminal: Terminal,
  follows: 'these' | 'others' | 'none',
  handedOn: Done | undefined,
): void {
  const how = 'a run of prune that is agreed to, or init-tls, hands it on.';
  if (handedOn?.changed === true)
    terminal.paragraph(`From now on the daemon removes tags ${handedOn.summary}.`);
  else if (follows === 'none') terminal.paragraph(`The daemon does not follow retention.yaml yet: ${how}`);
  else if (follows === 'others')
    terminal.paragraph(`The daemon follows another version of retention.yaml: ${how}`);
}

export function showAnswer(reference: string, answer: Answer, json: boolean): void {
  if (json) printJson({ reference, ...answer });
  else new Terminal(process.stdout).paragraph(answerInWords(reference, answer));
}

/** Exit code 1 where something can't come back. */
export function showReturned(returned: readonly Returned[], json: boolean): void {
  if (returned.some(({ outcome }) => outcome === 'collected')) process.exitCode = 1;
  if (json) {
    printJson({ returned });
    return;
  }
  const terminal = new Terminal(process.stdout);
  for (const each of returned) terminal.paragraph(returnInWords(each));
  if (returned.length === 0) terminal.paragraph('There is nothing to bring back.');
  if (returned.some(({ outcome }) => outcome === 'back'))
    terminal.paragraph('The next run removes them again, unless a rule keeps them.');
}

/** @param applied what came of it; `undefined` where nothing was to be done, or to be done yet */
export function printPlan(plan: Plan, applied: Applied | undefined): void {
  printJson({ ...plan, applied: applied ?? null });
}

function printJson(result: object): void {
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}
