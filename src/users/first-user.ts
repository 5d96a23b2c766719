import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { counted } from '../counted.ts';
import type { Paths } from '../paths.ts';
import { Secret } from '../secret.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { readIfExists, writeAtomically } from '../system/files.ts';
import { generatePassword, hashPassword } from './password.ts';
import { addUser, listUsers } from './users.ts';

export interface FirstUser {
  readonly name: string;
  readonly password: Secret;
}

const waitingUser = z.object({ name: z.string(), password: z.string() });

/**
 * Makes a first user where there is none. Until the password was shown it waits in a file of its own (0600): a run that is
 * killed in between neither loses it nor makes a second user.
 */
export async function ensureFirstUser(
  { usersFile, handover: handoverFile }: Paths,
  name: string,
): Promise<Done<FirstUser | undefined>> {
  const waiting = await readHandover(handoverFile);
  const users = await listUsers(usersFile);
  if (waiting === undefined && users.length > 0) {
    return unchanged(counted(users.length, 'user'), undefined);
  }
  const user = waiting ?? { name, password: generatePassword() };
  if (users.every((each) => each.name !== user.name)) {
    const text = JSON.stringify({ name: user.name, password: user.password.reveal() });
    await writeAtomically(handoverFile, text, 0o600);
    await addUser(usersFile, user.name, await hashPassword(user.password));
  }
  return changed(user.name, user);
}

/** The password has been shown: from now on only its hash is known. */
export async function forgetPassword({ handover: file }: Paths): Promise<void> {
  await rm(file, { force: true });
}

async function readHandover(file: string): Promise<FirstUser | undefined> {
  const text = await readIfExists(file);
  if (text === undefined) return undefined;
  const { name, password } = waitingUser.parse(JSON.parse(text));
  return { name, password: new Secret(password) };
}
