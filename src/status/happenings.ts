import type { Entry } from '../certificates/ledger.ts';
import type { Event } from '../events.ts';

/** What happened. */
export interface Happening {
  readonly at: Date;
  /** Which command or part it was: `certificate`, `gc`, `user`, … */
  readonly by: string;
  /** `trouble`: a person should look at it. */
  readonly kind: Event['kind'];
  /** One line. */
  readonly text: string;
}

/** The newest first, `many` at the most: the events, and what came of certificates, which has a ledger of its own. */
export function happenings(
  events: readonly Event[],
  ledger: readonly Entry[],
  many: number,
): readonly Happening[] {
  return [...events, ...ledger.flatMap(ofCertificate)]
    .map(({ text, ...rest }) => ({ ...rest, text: text.split('\n')[0] ?? '' }))
    .sort((one, other) => other.at.getTime() - one.at.getTime())
    .slice(0, many);
}

function ofCertificate({ at, event, names, message }: Entry): Happening[] {
  const by = 'certificate';
  switch (event) {
    case 'served':
      return [{ at, by, kind: 'done', text: `a new one is served for ${few(names)}` }];
    case 'failed':
      return [{ at, by, kind: 'trouble', text: `not renewed: ${message ?? 'nothing was said why'}` }];
    default:
      return []; // steps on the way
  }
}

function few(names: readonly string[]): string {
  return names.length <= 2 ? names.join(' and ') : `${names[0]} and ${names.length - 1} more names`;
}
