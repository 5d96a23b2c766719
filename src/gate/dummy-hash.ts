import { costOf } from '../users/htpasswd.ts';

/** bcrypt's salt and digest, 22 and 31 characters: of no password that anybody knows. */
const NOBODY = 'MoorageHasNoSuchUser..MooringLinesAreCastOffAtSunrise';
/** What bcrypt itself takes for the least. */
const LOWEST_COST = 4;

/** A hash that is as much work to compare as a real one of that cost. */
export function dummyHash(cost: number): string {
  return `$2b$${String(Math.max(cost, LOWEST_COST)).padStart(2, '0')}$${NOBODY}`;
}

/**
 * What is to be compared after `hash` so that a wrong password takes as long for this user as for one with the highest
 * cost, or for none: 2^c + 2^c + 2^(c+1) + … + 2^(highest-1) = 2^highest.
 */
export function paddingFor(hash: string, highestCost: number): readonly string[] {
  const padding: string[] = [];
  for (let cost = costOf(hash); cost < highestCost; cost += 1) padding.push(dummyHash(cost));
  return padding;
}
