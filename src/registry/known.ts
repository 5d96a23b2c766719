import { type Clock, eventually } from '../system/clock.ts';

/** Who checks passwords looks into the file of users once a second at the most. */
const KNOWN = { within: 15_000, every: 250 };

/** Asks as a user that was made just now, until an answer says that it is known. Else the last answer, whatever it is. */
export async function onceKnown<T>(
  clock: Clock,
  ask: () => Promise<T>,
  isKnown: (answer: T) => boolean,
): Promise<T> {
  const known = await eventually(clock, KNOWN, async () => {
    const answer = await ask();
    return isKnown(answer) ? answer : undefined;
  });
  return known ?? ask();
}

/** The same of a client: the status of `GET /v2/`, 200 as a rule. */
export function statusOnceKnown(clock: Clock, client: { check(): Promise<number> }): Promise<number> {
  return onceKnown(
    clock,
    () => client.check(),
    (status) => status === 200,
  );
}
