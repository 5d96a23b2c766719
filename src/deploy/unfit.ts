import { Failure } from '../errors.ts';
import { sizeInWords } from '../low-water.ts';
import type { MachineFacts } from './machine-facts.ts';
import type { Verdict } from './verdict.ts';

/**
 * @returns the warnings, a line each
 * @throws Failure `machine-unfit` with all that stands against this machine
 */
export function expectFit(name: string, verdicts: readonly Verdict[]): string[] {
  const broken = verdicts.filter(({ kind }) => kind === 'broken');
  if (broken.length > 0)
    throw new Failure(
      'machine-unfit',
      `${name} is not fit: ${broken.map(({ what }) => what).join('; ')}.`,
      broken.map(({ remedy }) => remedy).join('\n'),
    );
  return verdicts.map(({ what, remedy }) => `${what}: ${remedy}`);
}

export function machineInWords({ system, machine, memory, space, engine }: MachineFacts): string {
  const docker = engine.version === undefined ? 'no Docker yet' : `Docker ${engine.version}`;
  return `${system}, ${machine}, ${sizeInWords(memory)} of memory, ${sizeInWords(space.folder.free)} free, ${docker}`;
}
