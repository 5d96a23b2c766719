import { z } from 'zod';
import type { Entry } from '../journal.ts';
import type { Part } from '../stack/compose.ts';
import type { Chosen } from './choose.ts';
import type { Sample } from './samples.ts';

/** The steps of an upgrade, as the journal has them. */
export type Step = 'images' | 'settings' | Part | 'verify' | 'tidy' | 'back';

/** What the next run does about one that was killed. */
export type Resumption =
  /** No part was touched: names of images are put right, and it is as if it had not been. */
  | 'forget'
  /** The person agreed, and parts of the new may serve already: the rest follows, or all goes back. */
  | 'finish'
  /** All is replaced and verified: what is left is to clear up. */
  | 'tidy'
  /** Something had failed. */
  | 'go-back';

export function resumptionOf(step: string): Resumption {
  switch (step) {
    case '':
    case 'images':
      return 'forget';
    case 'tidy':
      return 'tidy';
    case 'back':
      return 'go-back';
    default:
      return 'finish';
  }
}

/** What the run after a kill has to know. */
export interface Facts {
  /** What to go back to. */
  readonly snapshot: string;
  readonly chosen: Chosen;
  readonly samples: readonly Sample[];
  /** The snapshot that is gone back to; `undefined` for an upgrade. */
  readonly undo: string | undefined;
}

const chosen = z.record(z.string(), z.string());
const samples = z.array(
  z.object({ repository: z.string(), tag: z.string(), digest: z.string(), blobs: z.array(z.string()) }),
);

export function factsForJournal({ snapshot, chosen, samples, undo }: Facts): Entry['facts'] {
  const texts = { snapshot, chosen: JSON.stringify(chosen), samples: JSON.stringify(samples) };
  return undo === undefined ? texts : { ...texts, undo };
}

export function factsFromJournal({ facts }: Entry): Facts {
  return {
    snapshot: facts.snapshot ?? '',
    chosen: chosen.parse(JSON.parse(facts.chosen ?? '{}')),
    samples: samples.parse(JSON.parse(facts.samples ?? '[]')),
    undo: facts.undo,
  };
}
