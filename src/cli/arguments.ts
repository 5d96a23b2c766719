import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';

/** For commander: an option that may be given several times. */
export function several(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** For commander: an IP address. */
export function ipAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('It is no IP address.');
  return text;
}
