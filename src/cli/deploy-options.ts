import { stat } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { limitTo } from '../deploy/inventory/limit.ts';
import { readInventory } from '../deploy/inventory/read.ts';
import { parseExtras } from '../deploy/inventory/variables.ts';
import { expectApart, type Order, orderFor } from '../deploy/order.ts';
import { parseSet, readGiven } from '../deploy/settings.ts';
import { EXTRAS, type Extra, type Target } from '../deploy/target.ts';
import { WrongInput } from '../errors.ts';
import { expectArchive } from '../images/read-archive.ts';
import type { Paths } from '../paths.ts';
import { parseDestination } from '../remote/destination.ts';
import { ipAddress, several } from './arguments.ts';
import { readFolder } from './folder-input.ts';
import { givenPath } from './given-path.ts';

/** As commander hands them on. */
export interface DeployOptions {
  readonly inventory?: string;
  readonly limit?: string;
  readonly dir?: string;
  readonly set: readonly string[];
  readonly settings?: string;
  readonly with: readonly Extra[];
  readonly skip: readonly Extra[];
  readonly system: boolean;
  readonly hosts?: string;
  readonly images?: string;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
  readonly uninstall: boolean;
  readonly purge?: string | true;
}

export function withDeployOptions(command: Command): Command {
  const extras = EXTRAS.join(', ');
  return (
    command
      .argument('[destination]', 'user@host, or any name that ssh knows')
      .option('-i, --inventory <file>', 'machines in Ansible’s form, INI or YAML')
      .option('--limit <pattern>', 'only these hosts or groups of the inventory')
      .option('--dir <folder>', 'where to put it there (default: /srv/moorage)', readFolder)
      .option('--set <NAME=VALUE>', 'a setting; may be repeated', several, [])
      // Not --env-file: Node looks for that behind the script, too, and ends with 9 where there is no such file.
      .option('--settings <file>', 'settings from this file instead of .env')
      .option('--with <extras>', `also set up: ${extras}, or both with a comma`, readExtras, [])
      .option('--skip <extras>', 'leave these out, whatever the inventory says', readExtras, [])
      .option('--system', 'with cacerts: put the CA into the system’s own store, too', false)
      .option(
        '--hosts <address>',
        'with cacerts: let its names lead to this address there (/etc/hosts)',
        ipAddress,
      )
      .option('--images <file>', 'take images from this archive (`npm run images -- save`)')
      .option('--check, --dry-run', 'show what would change, and change nothing', false)
      .option('-y, --yes', 'don’t ask before installing, restarting Docker or uninstalling', false)
      .option('--uninstall', 'take the registry off the machine', false)
      .option('--purge [domain]', 'with --uninstall: images, users and certificates of this domain too')
      .option('--json', 'print the result as JSON', false)
  );
}

/**
 * What is to become of which machine.
 * @throws WrongInput with what is wrong with the arguments, the inventory or its settings; Failure as `expectArchive`
 */
export async function readOrders(
  paths: Paths,
  destination: string | undefined,
  options: DeployOptions,
): Promise<readonly Order[]> {
  expectSense(destination, options);
  const targets = await readTargets(destination, options);
  const common = {
    folder: options.dir,
    own: await readGiven(paths, options.settings && givenPath(options.settings)),
    set: parseSet(options.set),
    extras: options.with,
    skipped: options.skip,
    images: options.images && (await archiveAt(options.images)),
    yes: options.yes,
    trust: { system: options.system, hosts: options.hosts },
  };
  const orders = targets.map((target) => orderFor(target, common));
  expectApart(orders);
  const trusting = options.system || options.hosts !== undefined;
  if (trusting && !orders.some(({ extras }) => extras.has('cacerts')))
    throw wrong(options.system ? '--system' : '--hosts', 'goes with --with cacerts');
  return orders;
}

function expectSense(destination: string | undefined, options: DeployOptions): void {
  const { inventory, limit, uninstall, purge } = options;
  if (destination === undefined && inventory === undefined)
    throw wrong('destination', 'is missing; give user@host, or an inventory (-i FILE)');
  if (destination !== undefined && inventory !== undefined)
    throw wrong(destination, 'can’t be given together with an inventory; to choose from that: --limit');
  if (limit !== undefined && inventory === undefined)
    throw wrong('--limit', 'chooses from an inventory; give one (-i FILE)');
  if (purge !== undefined && !uninstall) throw wrong('--purge', 'goes with --uninstall');
  if (purge === true)
    throw wrong(
      '--purge',
      'removes images for good: name the domain they belong to, --purge registry.example.com',
    );
}

async function readTargets(
  destination: string | undefined,
  { inventory, limit }: DeployOptions,
): Promise<readonly Target[]> {
  if (inventory !== undefined) {
    const targets = (await readInventory(givenPath(inventory), inventory)).map(withKeyAsGiven);
    return limit === undefined ? targets : limitTo(targets, limit);
  }
  const parsed = parseDestination(destination ?? '');
  if (typeof parsed === 'string') throw wrong(destination ?? '', parsed);
  const variables = { folder: undefined, settings: {}, extras: new Set<Extra>() };
  return [{ name: destination ?? '', destination: parsed, groups: [], variables }];
}

/** As Ansible takes a key's path: from where the person is. `~` and `%` are for `ssh`. */
function withKeyAsGiven(target: Target): Target {
  const { identityFile: key } = target.destination;
  if (key === undefined || /^[~%]/.test(key)) return target;
  return { ...target, destination: { ...target.destination, identityFile: givenPath(key) } };
}

async function archiveAt(file: string): Promise<string> {
  const path = givenPath(file);
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isDirectory()) throw wrong('--images', `${file} is a folder`);
  if (!facts?.isFile())
    throw wrong('--images', `there is no file ${file}; \`npm run images -- save ${file}\` makes one`);
  return (await expectArchive(path)).file; // what is something else would be found out only once it was copied
}

function readExtras(text: string): Extra[] {
  const extras = parseExtras(text);
  if (typeof extras === 'string') throw new InvalidArgumentError(`It ${extras}.`);
  return [...extras];
}

function wrong(input: string, message: string): WrongInput {
  return new WrongInput([{ input, message }]);
}
