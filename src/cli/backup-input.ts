import { type Command, InvalidArgumentError } from 'commander';
import { KEEP, type Policy } from '../backup/forget.ts';
import type { Size } from '../backup/sample.ts';

/** `--sample`: how many images, or all. */
export function sampleSize(text: string): Size {
  if (text === 'all') return text;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Not a number of images, and not "all".');
  return Number(text);
}

/** restic's own flags for what stays. */
export function withPolicy(command: Command): Command {
  for (const name of KEEP)
    command.option(`--${name} <${placeholderOf(name)}>`, wordsFor(name), checked(name));
  return command;
}

/** `undefined`: everything stays. */
export function policyOf(options: Readonly<Record<string, unknown>>): Policy | undefined {
  const given = KEEP.flatMap((name) => {
    const value = options[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function placeholderOf(name: (typeof KEEP)[number]): string {
  return name === 'keep-within' ? 'duration' : 'n';
}

function wordsFor(name: (typeof KEEP)[number]): string {
  if (name === 'keep-last') return 'drop old backups; keep the last n';
  if (name === 'keep-within') return 'keep all of the last 1y5m7d2h';
  return `keep the last of each of n ${PERIODS[name]}`;
}

const PERIODS = {
  'keep-hourly': 'hours',
  'keep-daily': 'days',
  'keep-weekly': 'weeks',
  'keep-monthly': 'months',
  'keep-yearly': 'years',
} as const;

function checked(name: (typeof KEEP)[number]): (text: string) => string {
  const right = name === 'keep-within' ? /^(\d+[ymdh])+$/ : /^[1-9]\d{0,5}$/;
  return (text) => {
    if (right.test(text)) return text;
    throw new InvalidArgumentError(name === 'keep-within' ? 'Not like 1y5m7d2h.' : 'Not a number above 0.');
  };
}
