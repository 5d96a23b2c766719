import { resolve } from 'node:path';
import { environment } from '../settings/environment.ts';

/** A path as a person gives it. npm runs everything in the project's folder, and says in `INIT_CWD` where they were. */
export function givenPath(path: string): string {
  return resolve(environment().INIT_CWD ?? '.', path);
}
