import { dirname } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type App, lockFile, openApp, openEvents } from '../src/app/app.ts';
import { localEngine, openTrustMachine, ownCertificate, proveOwnRegistry } from '../src/app/trust.ts';
import { ipAddress } from '../src/cli/arguments.ts';
import { askFingerprint } from '../src/cli/fingerprint-input.ts';
import { givenPath } from '../src/cli/given-path.ts';
import { main } from '../src/cli/main.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { Failure, messageOf, systemCode } from '../src/errors.ts';
import { ensureFolderOfOwner } from '../src/host/made-files.ts';
import { commandLine } from '../src/remote/quote.ts';
import { loadSettings } from '../src/settings/load.ts';
import type { Settings } from '../src/settings/settings.ts';
import { type Done, unchanged } from '../src/step.ts';
import { withLock } from '../src/system/lock.ts';
import { ensureClients } from '../src/trust/clients.ts';
import { ensureHosts } from '../src/trust/hosts-file.ts';
import { OWN } from '../src/trust/machine.ts';
import { HOSTS_COUNT_WITHIN, provePull } from '../src/trust/prove-pull.ts';
import { parseRegistryName, type RegistryName } from '../src/trust/registry-name.ts';
import { removeTrust } from '../src/trust/remove.ts';
import { trustScript } from '../src/trust/script.ts';
import { ensureSystemStore } from '../src/trust/system-store.ts';
import { namesOf, otherRegistry, ownRegistry, type Which } from '../src/trust/which.ts';

interface Options {
  readonly ca?: string;
  readonly fingerprint?: string;
  readonly system: boolean;
  readonly hosts?: string;
  readonly remove: boolean;
  readonly print: boolean;
  readonly json: boolean;
}

await main(
  new Command('npm run trust --')
    .description('Makes Docker, Podman and skopeo on this machine trust the CA of a registry.')
    .argument('[name]', 'NAME[:PORT] of another registry; without it, the one of this checkout', registryName)
    .option('--ca <file>', 'its CA; without it, the registry is asked, and you compare the fingerprint')
    .option('--fingerprint <sha256>', 'that the CA must have, where nobody can be asked')
    .option('--system', 'put the CA into the system’s own store, too', false)
    .option('--hosts <address>', 'let its names lead to this address (/etc/hosts)', ipAddress)
    .option('--remove', 'take away what this command made for it', false)
    .addOption(
      new Option('--print', 'print a script that does it on a machine without this project')
        .default(false)
        .conflicts(['remove', 'system']), // the script is for the clients alone
    )
    .option('--json', 'print the result as JSON', false)
    .action(async (name: RegistryName | undefined, options: Options) => {
      const app = openApp();
      const work = () => trust(app, name, options);
      await (options.print ? work() : alone(app, work)).catch(withCommand);
    }),
);

/** `proxy` and `uninstall` write to the same list of what was made on this machine. */
async function alone(app: App, work: () => Promise<void>): Promise<void> {
  await ensureFolderOfOwner(app.paths.state);
  await ensureFolderOfOwner(dirname(lockFile(app, 'made')));
  await withLock(lockFile(app, 'made'), 'npm run trust', app.clock, work);
}

async function trust(app: App, given: RegistryName | undefined, options: Options): Promise<void> {
  const { hosts, system, remove, print, json } = options;
  const terminal = new Terminal(json || print ? process.stderr : process.stdout);
  const story = new Story(terminal, app.clock);
  const machine = openTrustMachine(app);
  const settings = await loadSettings(app.paths, app.environment);
  const isOwn = given === undefined || namesOf(settings).authorities.includes(given.authority);
  const other = isOwn ? undefined : given;
  const id = other?.authority ?? OWN;

  if (remove) {
    await story.step('Trust', () => removeTrust(machine, id));
    return conclude(app, story, id, undefined, json);
  }
  const which = await story.step('CA', async () =>
    told(await find({ app, settings, terminal }, other, options)),
  );
  const registry = which.kind === 'registry' ? which.registry : undefined;
  if (print) {
    const [first] = registry?.authorities ?? [];
    if (registry !== undefined) process.stdout.write(trustScript(registry, `https://${first}/ca.crt`));
    return;
  }
  const names = other === undefined ? namesOf(settings).names : [other.name];
  await story.stepFor(hosts, 'Hosts', (to) => ensureHosts(machine, { id, names }, to));
  await story.stepFor(registry, 'Clients', async (wanted) => {
    const engine = await localEngine(app);
    return ensureClients(machine, wanted, typeof engine === 'string' ? undefined : engine);
  });
  await story.stepFor(system ? registry : undefined, 'System', (wanted) =>
    ensureSystemStore(machine, wanted),
  );
  await story.stepFor(registry, 'Pull', async ({ authorities: [first = ''] }, report): Promise<Done> => {
    const engine = await localEngine(app);
    if (other !== undefined || typeof engine === 'string')
      return provePull(machine, first, engine, { patience: hosts === undefined ? 0 : HOSTS_COUNT_WITHIN });
    return (
      (await proveOwnRegistry(app, settings, report)) ?? unchanged('not proved: there is no certificate yet')
    );
  });
  await conclude(app, story, id, registry?.ca.fingerprint, json);
}

interface Place {
  readonly app: App;
  readonly settings: Settings;
  readonly terminal: Terminal;
}

async function find(
  { app, settings, terminal }: Place,
  other: RegistryName | undefined,
  { ca, fingerprint, hosts: host }: Options,
): Promise<Which> {
  const file = ca === undefined ? undefined : givenPath(ca);
  if (other !== undefined) {
    const confirm = askFingerprint(terminal, other.authority);
    return otherRegistry(other, { host, file, fingerprint, confirm }, app.clock);
  }
  return ownRegistry({ ...app, settings, certificate: await ownCertificate(app) }, file);
}

function told(which: Which): Done<Which> {
  if (which.kind === 'nothing') return unchanged(`nothing to trust: ${which.why}`, which);
  const { authorities, ca } = which.registry;
  return unchanged(`of ${authorities.join(', ')}, SHA-256 ${ca.fingerprint}`, which);
}

async function conclude(
  app: App,
  story: Story,
  id: string,
  fingerprint: string | undefined,
  json: boolean,
): Promise<void> {
  const different = story.records.filter((step) => step.changed);
  const result = { registry: id, fingerprint, changed: different.length > 0, steps: story.records };
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  if (different.length > 0)
    await openEvents(app).record('trust', 'done', different.map(({ summary }) => summary).join('; '));
}

/** Names the very command to run as root, with this user's PATH: root's own may lack npm. */
function withCommand(error: unknown): never {
  const forbidden = systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM';
  if (!forbidden && !(error instanceof Failure && error.code === 'root-needed')) throw error;
  const command = `sudo env "PATH=$PATH" npm run trust -- ${commandLine(process.argv.slice(2))}`;
  const remedy = `Run: ${command.replace(/ -- $/, '')}`;
  const message = forbidden ? 'It takes root to change what this machine trusts.' : messageOf(error);
  throw new Failure('root-needed', message, remedy, { cause: error });
}

function registryName(text: string): RegistryName {
  const parsed = parseRegistryName(text);
  if (typeof parsed === 'string') throw new InvalidArgumentError(`It ${parsed}.`);
  return parsed;
}
