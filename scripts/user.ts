import { Command, Option } from 'commander';
import { allow, disallow } from '../src/access/edit.ts';
import { formatGrant, type Grant } from '../src/access/grant.ts';
import { main } from '../src/cli/main.ts';
import { obtainPassword, type PasswordOptions, showGenerated } from '../src/cli/password-input.ts';
import { grantList, lifetime } from '../src/cli/rights-input.ts';
import { showUsers } from '../src/cli/user-list.ts';
import { type UserOrToken, userName, userOrToken } from '../src/cli/user-name.ts';
import { sayAllowed, sayDisallowed, sayNewUser, sayRemoved, showToken } from '../src/cli/user-words.ts';
import { Events } from '../src/events.ts';
import { paths } from '../src/paths.ts';
import { environment } from '../src/settings/environment.ts';
import { expectGate } from '../src/settings/gate-files.ts';
import { loadSettings } from '../src/settings/load.ts';
import { expectNotMoved } from '../src/stack/moved.ts';
import { systemClock } from '../src/system/clock.ts';
import { endOf } from '../src/users/lifetime.ts';
import { namedIn, readOverview, readPolicy } from '../src/users/overview.ts';
import { hashPassword } from '../src/users/password.ts';
import { createToken, removeToken, removeTokensOf } from '../src/users/tokens.ts';
import {
  addUser,
  expectKnown,
  expectNew,
  expectNotLast,
  listUsers,
  removeUser,
  setPassword,
} from '../src/users/users.ts';

const places = paths();
const settings = () => loadSettings(places, environment());
const { usersFile, tokensFile, accessFile } = places;
const events = new Events(places.events, systemClock);
const record = (text: string) => events.record('user', 'done', text);

const command = new Command('npm run user --').description('Who may use the registry.');

withPassword(
  command.command('add').argument('<name>', 'anything without a colon', userName).description('add a user'),
).action(async (name: string, options: PasswordOptions) => {
  await expectNew(usersFile, name);
  const policy = await readPolicy(accessFile);
  const password = await obtainPassword(name, options);
  await removeTokensOf(tokensFile, name); // of somebody of that name who was taken out of the file by hand
  await addUser(usersFile, name, await hashPassword(password.secret));
  await record(`${name} added`);
  showGenerated(name, password, 'added');
  sayNewUser(name, policy);
});

withPassword(command.command('passwd <name>').description('set a new password')).action(
  async (name: string, options: PasswordOptions) => {
    await expectKnown(usersFile, name);
    const password = await obtainPassword(name, options);
    await setPassword(usersFile, name, await hashPassword(password.secret));
    await record(`${name} has a new password`);
    showGenerated(name, password, 'has a new password');
  },
);

command
  .command('token <name>')
  .description('make a password for a program: it expires, and may do less than its user')
  .option('--allow <grant...>', 'what of the user’s rights it has, ROLE:PATTERN (default: all)', grantList)
  .addOption(
    new Option('--expires <time>', '12h, 90d, 2w, 1y or never')
      .argParser(lifetime)
      .default(lifetime('90d'), '90d'),
  )
  .action(async (user: string, options: { allow?: readonly Grant[]; expires: number }) => {
    expectGate(await settings());
    await expectKnown(usersFile, user);
    const now = systemClock.now();
    const made = { user, allow: options.allow, expires: endOf(options.expires, now), now };
    const { token, password } = await createToken(tokensFile, made);
    await record(`token ${user}:${token.id} made`);
    showToken(token, password);
  });

command
  .command('allow <name>')
  .argument('<grants...>', 'pull, push, delete or admin, and where: push:team/**', grantList)
  .description('give a user rights in access.yaml')
  .action(async (name: string, grants: readonly Grant[]) => {
    expectGate(await settings());
    await expectKnown(usersFile, name);
    const users = (await listUsers(usersFile)).map((user) => user.name);
    const admins = await allow(accessFile, name, grants, users);
    await record(`${name} got rights: ${grants.map(formatGrant).join(', ')}`);
    sayAllowed(name, grants, admins);
  });

command
  .command('disallow <name>')
  .argument('<grants...>', 'as `list` shows them', grantList)
  .description('take rights away that a user has by name')
  .action(async (name: string, grants: readonly Grant[]) => {
    expectGate(await settings());
    await disallow(accessFile, name, grants);
    await record(`${name} lost rights: ${grants.map(formatGrant).join(', ')}`);
    sayDisallowed(name, grants, await readPolicy(accessFile));
  });

command
  .command('remove')
  .argument('<name>', 'a user with all tokens, or one token, NAME:ID', userOrToken)
  .description('remove a user or a token; logins stop at once')
  .option('--last', 'even when nobody can log in afterwards', false)
  .action(async ({ user, id }: UserOrToken, { last }: { last: boolean }) => {
    if (id !== undefined) {
      await removeToken(tokensFile, { user, id });
      await record(`token ${user}:${id} removed`);
      return sayRemoved(`${user}:${id}`);
    }
    await expectKnown(usersFile, user);
    if (!last) await expectNotLast(usersFile, user);
    const tokens = await removeTokensOf(tokensFile, user);
    await removeUser(usersFile, user, { last });
    await record(`${user} removed`);
    sayRemoved(user, { tokens, stillNamed: await namedIn(accessFile, user) });
  });

command
  .command('list')
  .description('list the users, what they may, and their tokens')
  .option('--json', 'print JSON', false)
  .action(async ({ json }: { json: boolean }) => {
    showUsers(await readOverview(places), json, systemClock.now());
  });

// What is changed where the registry was would be lost.
command.hook('preAction', async (_, action) => {
  if (action.name() !== 'list') await expectNotMoved(places);
});

await main(command);

/** The three ways to a password. */
function withPassword(subcommand: Command): Command {
  return subcommand
    .addOption(new Option('--password-stdin', 'read the password from standard input').conflicts('generate'))
    .option('--generate', 'make one and print it once')
    .addHelpText(
      'after',
      '\nWith neither, the password is asked for, twice and without echo. That needs a terminal.',
    );
}
