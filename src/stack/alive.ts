import type { ContainerFacts } from '../engine/engine.ts';
import { Failure } from '../errors.ts';

/** Whether it serves what it was made for, now or again unless somebody stops it: nothing may change under it meanwhile. */
export function isAlive({ running, onHold }: Pick<ContainerFacts, 'running' | 'onHold'>): boolean {
  return running || onHold !== undefined;
}

/**
 * One that is paused can't be asked anything, and is not at rest: it goes on where it was.
 * @param part as Compose calls it
 * @throws Failure `part-paused`
 */
export function expectNotPaused(part: string, containers: readonly Pick<ContainerFacts, 'onHold'>[]): void {
  if (!containers.some(({ onHold }) => onHold === 'paused')) return;
  throw new Failure(
    'part-paused',
    `${part} is paused: it would go on where it was.`,
    'docker compose unpause, then run this again.',
  );
}
