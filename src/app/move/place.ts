import { judgeMachine } from '../../deploy/judge-machine.ts';
import { gatherMachine } from '../../deploy/machine.ts';
import type { MachineFacts } from '../../deploy/machine-facts.ts';
import { type ProgramAction, planPrograms, proposeDocker } from '../../deploy/programs.ts';
import { expectFit, machineInWords } from '../../deploy/unfit.ts';
import { Failure } from '../../errors.ts';
import type { Proposal } from '../../host/plan.ts';
import { readInventory } from '../../inventory/inventory.ts';
import { sizeInWords } from '../../low-water.ts';
import { addressWarnings, expectAddress } from '../../move/address.ts';
import { expectFree, judgeOccupancy, lookThere, type Occupancy } from '../../move/arrival.ts';
import { freeThere } from '../../move/images.ts';
import { type StagedState, stageState } from '../../move/state.ts';
import { expectSameStorage } from '../../move/storage.ts';
import { type Done, unchanged } from '../../step.ts';
import type { Travel } from './travel.ts';

const KEPT_FREE = 1024 ** 3;

export interface Place {
  readonly staged: StagedState;
  readonly facts: MachineFacts;
  readonly programs: readonly ProgramAction[];
  /** What init-tls there will do about Docker; `undefined`: nothing. */
  readonly docker: Proposal | undefined;
  readonly occupancy: Occupancy;
  /** What images take here, in bytes; `undefined` where they are in a bucket. */
  readonly bytes: number | undefined;
}

/**
 * Looks whether the registry can be on the other machine, with the settings it gets there.
 * @throws WrongInput about settings; Failure `machine-unfit`, `occupied`, `disk-full`
 */
export async function expectPlace(travel: Travel): Promise<Done<Place>> {
  const { app, settings, goal, far, id } = travel;
  const staged = await stageState(app.paths, app.environment, settings, goal);
  expectSameStorage(settings, staged.settings);
  const { httpPort: http, httpsPort: https } = staged.settings;
  const asked = { folder: goal.folder, ports: { http, https } };
  const facts = await gatherMachine(far.host, app.clock, asked);
  const warnings = expectFit(far.host.name, judgeMachine(facts, staged.settings));
  const found = await lookThere(far, staged.data, id);
  const occupancy = judgeOccupancy(found, id);
  expectFree(occupancy, far);
  await expectAddress(far, staged.settings);
  const bytes = staged.data === undefined ? undefined : await imageBytes(travel);
  if (staged.data !== undefined && bytes !== undefined && !found.images) {
    const free = await freeThere(far, staged.data);
    if (free < bytes + KEPT_FREE)
      throw new Failure(
        'disk-full',
        `The images take ${sizeInWords(bytes)}, and ${sizeInWords(free)} are free at ${staged.data} on ${far.host.name}.`,
        'Make room there, or name another folder: --set REGISTRY_DATA_DIR=/folder',
      );
  }
  const told = occupancy === 'copy' ? 'a copy of this registry is there' : 'free';
  const doubts = [...warnings, ...addressWarnings(staged.settings)];
  const summary = [machineInWords(facts), `${goal.folder}: ${told}`, ...doubts].join('\n');
  const [programs, docker] = [planPrograms(facts), proposeDocker(facts)];
  return unchanged(summary, { staged, occupancy, bytes, facts, programs, docker });
}

/** Of each layer, config and manifest, once. */
async function imageBytes({ parts }: Travel): Promise<number> {
  const { repositories } = await readInventory(await parts.openTree());
  const sizes = new Map<string, number>();
  for (const { manifests } of repositories)
    for (const { digest, bytes, blobs } of manifests.values()) {
      sizes.set(digest, bytes);
      for (const blob of blobs) sizes.set(blob.digest, blob.bytes);
    }
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}
