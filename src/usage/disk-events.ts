import type { Events } from '../events.ts';
import { isBelow, type MarkedDisk, sizeInWords } from '../low-water.ts';

const BY = 'disk';
/** All there are. */
const MANY = 1_000;

/** Records that pushes are refused for want of space, and that they are taken again: each once, over restarts too. */
export async function tellOfDisk(events: Events, { free, mark }: MarkedDisk): Promise<void> {
  const last = (await events.last(MANY).catch(() => [])).find(({ by }) => by === BY);
  const before = last?.kind === 'trouble';
  const below = isBelow(mark, free, before);
  if (below === before) return;
  const figures = `${sizeInWords(free)} are free`;
  if (below)
    await events.record(BY, 'trouble', `only ${figures}: pushes are refused below ${sizeInWords(mark)}`);
  else await events.record(BY, 'done', `${figures} again: pushes are taken`);
}
