const SHOWN = 3;

/** `; there is A, B`: the names that somebody may have meant, for the end of a sentence. Empty where there is none. */
export function nearest(wanted: string, names: Iterable<string>): string {
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  const near = [...names]
    .map((name) => ({ name, distance: name.includes(wanted) ? 1 : distance(wanted, name) }))
    .filter((each) => each.distance <= limit)
    .sort((one, other) => one.distance - other.distance || (one.name < other.name ? -1 : 1))
    .slice(0, SHOWN);
  return near.length === 0 ? '' : `; there is ${near.map(({ name }) => name).join(', ')}`;
}

/** Whether one letter that is missing, too many or another one is all that differs. */
export function isOneOff(one: string, other: string): boolean {
  return distance(one, other) === 1;
}

/** Levenshtein's: letters to put in, take out or change. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (const [at, against] of [...other].entries())
      next.push(
        Math.min((row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1, (row[at] ?? 0) + (letter === against ? 0 : 1)),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
