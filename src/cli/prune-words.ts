import { moment, span } from '../certificates/words.ts';
import { counted } from '../counted.ts';
import { unreachable } from '../errors.ts';
import type { Reason } from '../retention/reasons.ts';
import type { Returned } from '../retention/undo.ts';
import type { Answer } from '../retention/why.ts';

/** What keeps a tag, for the end of `kept by …` and for counting. */
export function reasonInWords(reason: Reason): string {
  switch (reason.kind) {
    case 'immutable':
      return 'immutable by access.yaml';
    case 'tag':
      return `keep ${reason.pattern} (${reason.rule})`;
    case 'last':
      return `keep-last ${reason.last} (${reason.rule})`;
    case 'days':
      return `keep-days ${reason.days} (${reason.rule})`;
    case 'follows':
      return 'about a manifest that stays';
    case 'young':
      return `about a manifest that is not there, and less than ${counted(reason.days, 'day')} old`;
    case 'damaged':
      return 'can’t be read, and is left alone';
    default:
      return unreachable(reason);
  }
}

/** For `--why`. */
export function answerInWords(reference: string, answer: Answer): string {
  switch (answer.kind) {
    case 'stays':
      return `${reference} stays: ${answer.because.map(inFull).join('; ')}.`;
    case 'needed':
      return `${reference} stays: ${answer.by.join(', ')} ${answer.by.length === 1 ? 'needs' : 'need'} it.`;
    case 'goes':
      if (answer.subject !== undefined)
        return `${reference} goes: it is about ${answer.subject}, which goes or is gone.`;
      return `${reference} goes: rules name its repository, and none keeps it.`;
    case 'goes-with':
      return `${reference} goes with ${answer.tags.join(', ')}: nothing that stays needs it.`;
    case 'removed':
      return `${reference} was removed on ${moment(answer.at)}; \`npm run prune -- --undo\` brings it back until a collection after ${moment(answer.until)}.`;
    case 'unnamed':
      return `${reference} stays: no rule names its repository.`;
    case 'damaged':
      return `${reference} stays: it can’t be read, and what can’t be read is left alone.`;
    case 'young':
      return `${reference} stays: no tag leads to it, and it, or what needs it, is too young to go.`;
    default:
      return unreachable(answer);
  }
}

export function returnInWords({ repository, tag, digest, outcome }: Returned): string {
  const name = `${repository}:${tag}`;
  switch (outcome) {
    case 'back':
      return `${name} is back: ${shortDigest(digest)}`;
    case 'pushed-anew':
      return `${name} was pushed anew since, and stays as it is; before it was ${shortDigest(digest)}`;
    case 'collected':
      return `${name} can’t come back: ${shortDigest(digest)} was collected`;
    default:
      return unreachable(outcome);
  }
}

/** As Docker shows it. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}

export function ageInWords(pushed: Date, now: Date): string {
  return span(Math.max(0, now.getTime() - pushed.getTime()));
}

/** Only `--why` has room for the place. */
function inFull(reason: Reason): string {
  if (reason.kind === 'last')
    return `${reasonInWords(reason)}, it is number ${reason.rank} of those pushed last`;
  if (reason.kind === 'follows') return `it is about ${reason.subject}, which stays`;
  return reasonInWords(reason);
}
