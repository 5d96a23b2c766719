import { counted } from '../counted.ts';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

/** `13 March 2027`; UTC, as everything here. */
export function day(date: Date): string {
  return `${date.getUTCDate()} ${month(date)} ${date.getUTCFullYear()}`;
}

/** `13 March 2027 04:10 UTC`, with seconds where the minute says too little. */
export function moment(date: Date): string {
  return `${day(date)} ${clock(date)} UTC`;
}

/** `12–14 March 2027`, `28 February – 2 March 2027`, `12 March 2027 04:10–05:20 UTC`. */
export function period(start: Date, end: Date): string {
  const [from, to] = [day(start), day(end)];
  if (from === to) return `${from} ${clock(start)}–${clock(end)} UTC`;
  if (start.getUTCFullYear() !== end.getUTCFullYear()) return `${from} – ${to}`;
  if (month(start) === month(end)) return `${start.getUTCDate()}–${to}`;
  return `${start.getUTCDate()} ${month(start)} – ${to}`;
}

/** `3 days`, `5 hours`, `40 seconds`: the largest unit that is there twice. */
export function span(milliseconds: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ] as const;
  const [name, length] = units.find(([, each]) => milliseconds >= 2 * each) ?? ['second', 1000];
  const count = Math.max(0, Math.round(milliseconds / length));
  return counted(count, name);
}

function month(date: Date): string {
  return MONTHS[date.getUTCMonth()] ?? '';
}

function clock(date: Date): string {
  const [minutes, seconds] = [date.toISOString().slice(11, 16), date.toISOString().slice(17, 19)];
  return seconds === '00' ? minutes : `${minutes}:${seconds}`;
}
