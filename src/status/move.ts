import { day } from '../certificates/words.ts';
import type { Status } from './status.ts';
import type { Trouble } from './trouble.ts';

/** Where the registry has moved to, or comes from: nothing is broken by it. */
export function ofMove({ move }: Pick<Status, 'move'>): Trouble[] {
  if (move === undefined) return [];
  const { kind, other, since } = move;
  const told =
    kind === 'gone'
      ? {
          code: 'moved',
          what: `moved to ${other} on ${day(since)}: nothing can be written here`,
          remedy: 'npm run move-to -- --finish',
        }
      : {
          code: 'moving-here',
          what: `a registry is on its way here from ${other}`,
          remedy: 'wait for it',
        };
  return [{ severity: 'attention', ...told }];
}

/** It has moved, and was stopped: that nothing runs is as it should be. */
export function hasEndedHere({ move, parts }: Pick<Status, 'move' | 'parts'>): boolean {
  if (move?.kind !== 'gone' || parts.kind !== 'seen') return false;
  return parts.what.every(({ condition }) => condition === 'stopped' || condition === 'missing');
}
