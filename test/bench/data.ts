import { Failure } from '../../src/errors.ts';
import { about } from './data/about.ts';
import { evaluate, type Round } from './data/figures.ts';
import type { Sizes } from './data/files.ts';
import { type Front, MOORAGE } from './data/fronts.ts';
import { onStage, type Stage } from './data/stage.ts';
import { applies, type Plan, type Sample, sample, type Work, worksOf } from './data/works.ts';
import type { Progress } from './result.ts';

const FULL = {
  rounds: 5,
  seconds: 2,
  moment: 2,
  connections: [1, 8, 32],
  pushes: [1, 4],
  large: 1024,
  small: 200,
  warmUp: 10,
} satisfies Extent;
const QUICK = {
  rounds: 1,
  seconds: 1,
  moment: 0.4,
  connections: [8],
  pushes: [1],
  large: 128,
  small: 20,
  warmUp: 1,
} satisfies Extent;

interface Extent extends Sizes, Plan {
  readonly rounds: number;
  /** Seconds each until Node has compiled what is hot in the gate. */
  readonly warmUp: number;
}

/**
 * Blobs and manifests through Moorage and through what else there is, with the same content on the same disk. In each
 * round every registry has its turn at a work before the next work comes: what is compared was measured within seconds
 * of each other. What it costs is read from the servers' processes; who makes the load shares the machine with them.
 */
export async function data(quick: boolean, report: Progress) {
  const extent: Extent = quick ? QUICK : FULL;
  const interruption = new AbortController();
  const interrupt = () => interruption.abort(INTERRUPTED);
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const step: Progress = (line) => {
    interruption.signal.throwIfAborted();
    report(line);
  };
  try {
    return await onStage(extent, step, async (stage) => {
      await warmUp(stage, extent, step);
      const works = worksOf(stage, extent);
      const rounds: Round[] = [];
      for (let number = 1; number <= extent.rounds; number += 1)
        rounds.push(await round(`round ${number} of ${extent.rounds}`, works, stage, step));
      const { notes, ...result } = evaluate(works, rounds);
      return { ...result, notes: [...notes, ...(await about(extent))], sideBySide: true };
    });
  } catch (error) {
    throw interruption.signal.aborted ? INTERRUPTED : error;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

const INTERRUPTED = new Failure('interrupted', 'Interrupted; all of it was taken down.', 'Begin again.');

async function warmUp(stage: Stage, extent: Extent, step: Progress): Promise<void> {
  const works = worksOf(stage, { ...extent, seconds: extent.warmUp });
  for (const stands of stage.standing.filter(({ front }) => front === MOORAGE))
    for (const work of works.filter(({ name }) => WARMING.test(name))) {
      step(`${stands.front}: warming up`);
      await sample(work, stands);
    }
}

/** What the gate has to do with, and what it is only asked about. */
const WARMING = /GET of a manifest|1 MiB, 8 connections/;

async function round(title: string, works: readonly Work[], stage: Stage, step: Progress): Promise<Round> {
  const samples = new Map<Front, Map<string, Sample>>(stage.standing.map(({ front }) => [front, new Map()]));
  for (const work of works) {
    for (const standing of stage.standing.filter((each) => applies(work, each))) {
      step(`${title}: ${work.name}: ${standing.front}`);
      samples.get(standing.front)?.set(work.name, await sample(work, standing));
    }
  }
  return samples;
}
