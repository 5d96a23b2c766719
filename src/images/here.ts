import type { ImageRole, Program, Settings } from '../settings/settings.ts';
import { lookAtProgram, type Workshop } from './build.ts';
import { imageFor } from './catalog.ts';
import { lookIntoArchive } from './from-archive.ts';
import { needsOf } from './needs.ts';

export interface NeededImage {
  readonly role: ImageRole | Program;
  readonly reference: string;
  /** `undefined`: the engine has it not. */
  readonly id: string | undefined;
  /** Bytes, with layers that others have too. */
  readonly size: number;
}

/** What a stack with these settings runs on, and whether the engine has it; nothing is changed. */
export async function imagesHere(settings: Settings, workshop: Workshop): Promise<readonly NeededImage[]> {
  const { roles, programs } = needsOf(settings);
  const archived = settings.images === 'load' ? await lookIntoArchive(settings, workshop, roles) : undefined;
  const named = roles.map((role) => ({
    role,
    reference: archived?.chosen.find((each) => each.role === role)?.reference ?? imageFor(settings, role),
  }));
  const node = named.find(({ role }) => role === 'node')?.reference ?? '';
  const made = await Promise.all(
    programs.map(async (role) => ({ role, reference: (await lookAtProgram(workshop, role, node)).name })),
  );
  return Promise.all(
    [...named, ...made].map(async (each): Promise<NeededImage> => {
      const found = await workshop.engine.images.inspect(each.reference);
      return { ...each, id: found?.id, size: found?.size ?? 0 };
    }),
  );
}
