import { Command, Option } from 'commander';
import { main } from '../src/cli/main.ts';
import { obtainPassword, type PasswordOptions, showGenerated } from '../src/cli/password-input.ts';
import { showUsers } from '../src/cli/user-list.ts';
import { userName } from '../src/cli/user-name.ts';
import { paths } from '../src/paths.ts';
import { hashPassword } from '../src/users/password.ts';
import { addUser, expectKnown, expectNew, listUsers, removeUser, setPassword } from '../src/users/users.ts';

const file = paths().usersFile;

const command = new Command('npm run user --').description('Who may use the registry.');

withPassword(
  command.command('add').argument('<name>', 'anything without a colon', userName).description('add a user'),
).action(async (name: string, options: PasswordOptions) => {
  await expectNew(file, name);
  const password = await obtainPassword(name, options);
  await addUser(file, name, await hashPassword(password.secret));
  showGenerated(name, password, 'added');
});

withPassword(command.command('passwd <name>').description('set a new password')).action(
  async (name: string, options: PasswordOptions) => {
    await expectKnown(file, name);
    const password = await obtainPassword(name, options);
    await setPassword(file, name, await hashPassword(password.secret));
    showGenerated(name, password, 'has a new password');
  },
);

command
  .command('remove <name>')
  .description('remove a user; logins stop at once')
  .action(async (name: string) => {
    await removeUser(file, name);
    process.stdout.write(`${name} removed\n`);
  });

command
  .command('list')
  .description('list the users')
  .option('--json', 'print JSON', false)
  .action(async ({ json }: { json: boolean }) => {
    showUsers(await listUsers(file), json);
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
