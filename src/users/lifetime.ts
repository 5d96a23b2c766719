const DAY = 86_400_000;
const UNITS = { h: 3_600_000, d: DAY, w: 7 * DAY, y: 365 * DAY } as const;
const LONGEST = 100 * UNITS.y;

/** `90d`, `12h`, `2w`, `1y` in milliseconds, `never` as infinity. A string says what is wrong. */
export function parseLifetime(text: string): number | string {
  if (text === 'never') return Number.POSITIVE_INFINITY;
  const [, count, unit] = /^(\d{1,9})([a-z])$/.exec(text) ?? [];
  if (count === undefined || !isUnit(unit)) return 'is no lifetime; right would be 12h, 90d, 2w, 1y or never';
  const milliseconds = Number(count) * UNITS[unit];
  if (milliseconds === 0) return 'would be over at once';
  if (milliseconds > LONGEST) return 'is longer than 100y; write never';
  return milliseconds;
}

/** When something ends that begins now; `undefined` for never. */
export function endOf(lifetime: number, now: Date): Date | undefined {
  return Number.isFinite(lifetime) ? new Date(now.getTime() + lifetime) : undefined;
}

function isUnit(text: string | undefined): text is keyof typeof UNITS {
  return text !== undefined && Object.hasOwn(UNITS, text);
}
