import { randomBytes } from 'node:crypto';
import { Secret } from '../secret.ts';
import { hashPassword } from './password.ts';
import { addUser, listUsers, removeUser } from './users.ts';

/** bcrypt's smallest cost: stretching adds nothing to 256 random bits. */
const LOWEST_COST = 4;

/** Gives `work` a user of its own, which is gone afterwards. One that a killed run left is taken away first. */
export async function withTemporaryUser<T>(
  usersFile: string,
  user: string,
  work: (credentials: { user: string; password: Secret }) => Promise<T>,
): Promise<T> {
  const password = new Secret(randomBytes(32).toString('base64url'));
  await removeTemporaryUser(usersFile, user);
  await addUser(usersFile, user, await hashPassword(password, LOWEST_COST));
  try {
    return await work({ user, password });
  } finally {
    await removeTemporaryUser(usersFile, user);
  }
}

/** Takes away one that a killed run left, if there is one. */
export async function removeTemporaryUser(usersFile: string, user: string): Promise<void> {
  const users = await listUsers(usersFile);
  if (users.some(({ name }) => name === user)) await removeUser(usersFile, user, { last: true });
}
