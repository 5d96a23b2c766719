import type { User } from '../users/users.ts';

export function showUsers(users: readonly User[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(users, null, 2)}\n`);
    return;
  }
  if (users.length === 0) process.stdout.write('No users yet. Add one: npm run user -- add NAME\n');
  const width = Math.max(...users.map(({ name }) => name.length), 0);
  for (const { name, cost } of users) process.stdout.write(`${name.padEnd(width)}  bcrypt, cost ${cost}\n`);
}
