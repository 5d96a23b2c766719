import type { ImageRole, Program } from '../settings/settings.ts';

/** Where an image came from. */
export type Origin = 'present' | 'pulled' | 'loaded' | 'built';

/** An image that the engine has now, and what it is for. */
export interface Obtained {
  readonly role: ImageRole;
  readonly name: string;
  readonly origin: Origin;
}

export interface ObtainedProgram extends Omit<Obtained, 'role'> {
  readonly role: Program;
}
